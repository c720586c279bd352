// A TCP proxy that can be cut: the network between a browser and its server.

import { connect, createServer } from 'node:net';

export async function startProxy(port) {
  const sockets = new Set();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
  });
  await new Promise((resolve) => server.listen(0, resolve));
  return {
    port: server.address().port,
    /** Ends every connection; new ones are welcome. */
    cut: () => sockets.forEach((socket) => socket.destroy()),
    stop() {
      sockets.forEach((socket) => socket.destroy());
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
