// Which server the tests talk to: Plenum, or Janus as its measure (E2E_SERVER=janus).

import { fileURLToPath } from 'node:url';
import { serveFiles } from './files.js';
import { startJanus } from './janus.js';
import { startPlenum } from './plenum.js';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

export const isJanus = process.env.E2E_SERVER === 'janus';

export function startServer(options = {}) {
  return isJanus ? startJanus({ web: path('../../../web/'), ...options }) : startPlenum(options);
}

/** The page for participants on janus.js, from an origin of its own as an application's would be. */
export function serveClient() {
  return serveFiles({
    '/client/': path('../client/'),
    '/janus/': path('../../node_modules/janus-gateway/npm/dist/'),
    '/adapter/': path('../../node_modules/webrtc-adapter/out/'),
  });
}
