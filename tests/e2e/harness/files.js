// A small web server on localhost: files from folders, and WebSockets handed on to where they belong.

import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.wav': 'audio/wav' };

/** Serves `folders` ({ '/prefix/': folder }); upgrades go to `webSocketPort` of this machine. */
export async function serveFiles(folders, { port = 0, webSocketPort } = {}) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const prefix = Object.keys(folders).filter((candidate) => pathname.startsWith(candidate)).sort((a, b) => b.length - a.length)[0];
    const path = prefix && join(folders[prefix], normalize('/' + pathname.slice(prefix.length)));
    const file = pathname.endsWith('/') ? join(path ?? '', 'index.html') : path;
    if (!file || !statSync(file, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  });
  const pipes = new Set();
  server.on('upgrade', (request, socket) => {
    const upstream = connect(webSocketPort, '127.0.0.1');
    pipes.add(socket);
    upstream.write(`GET / HTTP/1.1\r\n${headerLines(request)}\r\n\r\n`);
    socket.pipe(upstream).pipe(socket);
    for (const end of [socket, upstream]) end.on('error', () => {}).on('close', () => (socket.destroy(), upstream.destroy()));
  });
  await new Promise((resolve) => server.listen(port, resolve));
  return {
    url: `http://localhost:${server.address().port}`,
    port: server.address().port,
    stop() {
      pipes.forEach((socket) => socket.destroy());
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function headerLines({ rawHeaders }) {
  return rawHeaders.map((text, index) => (index % 2 ? `${text}\r\n` : `${text}: `)).join('').trimEnd();
}
