// For programs that only know ports: the port SOCKET_PORT stands for the unix socket SOCKET_PATH, to listen on and to connect to.
"use strict";
const net = require("node:net");
const { SOCKET_PORT: port, SOCKET_PATH: path } = process.env;

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (first, ...rest) {
  const wanted = typeof first === "object" && first !== null ? first.port : first;
  if (String(wanted) !== port) return listen.call(this, first, ...rest);
  process.umask(0o077);
  const done = rest.find((argument) => typeof argument === "function");
  return listen.call(this, path, ...(done ? [done] : []));
};

const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...given) {
  // net.connect() hands its arguments over in one list.
  const [first, ...rest] = Array.isArray(given[0]) ? given[0] : given;
  if (String(first?.port) !== port) return connect.apply(this, given);
  const done = rest.find((argument) => typeof argument === "function");
  return connect.call(this, { path }, ...(done ? [done] : []));
};
