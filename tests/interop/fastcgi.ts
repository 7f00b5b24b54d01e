/** One FastCGI request over a Unix socket: the part of FastCGI 1.0 (sections 3 and 5) for a GET. */
import { connect } from 'node:net';

const VERSION = 1;
const BEGIN_REQUEST = 1;
const END_REQUEST = 3;
const PARAMS = 4;
const STDIN = 5;
const STDOUT = 6;
const HEADER_BYTES = 8;
const REQUEST_ID = 1;
const RESPONDER = Buffer.from([0, 1, 0, 0, 0, 0, 0, 0]);

export interface Answer {
  /** 200 if the program sends no status. */
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

/** Sends a request with these CGI parameters. Rejects when the response is incomplete. */
export function askFastCgi(socketPath: string, parameters: Readonly<Record<string, string>>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = connect(socketPath, () => {
      socket.end(requestOf(parameters));
    });
    socket.setTimeout(30_000, () => socket.destroy(new Error('Expected an answer within 30 s but received none')));
    socket.on('data', (chunk) => received.push(chunk));
    socket.on('error', reject);
    socket.on('end', () => {
      try {
        resolve(answerOf(standardOutput(Buffer.concat(received))));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}

function requestOf(parameters: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(parameters).map(([name, value]) => nameValuePair(name, value));
  return Buffer.concat([
    record(BEGIN_REQUEST, RESPONDER),
    record(PARAMS, Buffer.concat(pairs)),
    record(PARAMS, Buffer.alloc(0)),
    record(STDIN, Buffer.alloc(0)),
  ]);
}

function record(type: number, content: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(VERSION, 0);
  header.writeUInt8(type, 1);
  header.writeUInt16BE(REQUEST_ID, 2);
  header.writeUInt16BE(content.length, 4);
  return Buffer.concat([header, content]);
}

/** Lengths as four bytes with the top bit set, which FastCGI allows for short lengths too. */
function nameValuePair(name: string, value: string): Buffer {
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE((0x80000000 | Buffer.byteLength(name)) >>> 0, 0);
  lengths.writeUInt32BE((0x80000000 | Buffer.byteLength(value)) >>> 0, 4);
  return Buffer.concat([lengths, Buffer.from(name), Buffer.from(value)]);
}

function standardOutput(records: Buffer): Buffer {
  const output: Buffer[] = [];
  for (let at = 0; at + HEADER_BYTES <= records.length;) {
    const type = records.readUInt8(at + 1);
    const length = records.readUInt16BE(at + 4);
    const content = records.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
    if (type === STDOUT) output.push(content);
    if (type === END_REQUEST) return Buffer.concat(output);
    at += HEADER_BYTES + length + records.readUInt8(at + 6);
  }
  throw new Error(`Expected a whole FastCGI answer but received ${records.length} bytes of one`);
}

function answerOf(output: Buffer): Answer {
  const end = output.indexOf('\r\n\r\n');
  const head = output.toString('latin1', 0, Math.max(0, end));
  const status = /^Status: (\d+)/imu.exec(head)?.[1];
  return {
    status: status === undefined ? 200 : Number(status),
    contentType: /^Content-Type: (\S+)/imu.exec(head)?.[1] ?? '',
    body: end < 0 ? output : output.subarray(end + 4),
  };
}
