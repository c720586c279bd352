// Janode imports its Unix-socket transport whether it is used or not, and that import wants a C++ build.
// These tests speak WebSocket only, so the addon is replaced and `npm ci` needs no compiler.
exports.createSocket = () => { throw new Error('unix sockets are not part of these tests'); };
