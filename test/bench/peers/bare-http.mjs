// A server of Node alone: reads a request and answers with one value, always the same. Prints its address.

import { createServer } from 'node:http';

const answer = JSON.stringify({
  jsonrpc: '2.0',
  result: { version: 12, data: 'dmFsdWUgMSBvZiBrZXkgMTI=', size: 17 },
  id: 1,
});
const headers = [
  'content-type',
  'application/json; charset=utf-8',
  'content-length',
  String(answer.length),
  'access-control-allow-origin',
  '*',
];
const server = createServer((request, reply) => {
  const done = () => {
    reply.writeHead(200, headers);
    reply.end(answer);
  };
  if (request.method === 'GET') {
    done();
    return;
  }
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', done);
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${server.address().port}\n`);
});
