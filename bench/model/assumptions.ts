/** Everything the model believes without having measured it, with where it is from. */

const lambdaPrices = 'AWS Lambda price list, us-east-1, arm64, first tier, November 2026: check before quoting';
const s3Prices = 'Amazon S3 price list, us-east-1, Standard, November 2026: check before quoting';

export interface Assumption {
  readonly value: number;
  readonly unit: string;
  readonly says: string;
}

export const assumptions = {
  network: {
    value: 75e6,
    unit: 'bytes/s',
    says: 'between S3 and one function, each way; a block is read while the part before is computed, and written after that',
  },
  core: { value: 1, unit: 'core', says: "speed of a Lambda core in units of this machine's core" },
  bytesPerPixel: { value: 3, unit: 'bytes', says: 'of the master: uncompressed 8-bit RGB, each byte read once' },
  mapConcurrency: {
    value: 40,
    unit: 'functions',
    says: 'an inline Map runs at most so many at once (Step Functions quota)',
  },
  coldStart: {
    value: 1.5,
    unit: 's',
    says: 'cold: once for every function and every place of the Map, one step after the other',
  },
  invoke: { value: 0.05, unit: 's', says: 'from one state to the next: transition and warm invocation' },
  request: { value: 0.03, unit: 's', says: 'one small S3 request' },
  requestsAtOnce: { value: 8, unit: 'requests', says: 'that a step keeps in flight' },
  copiesAtOnce: { value: 32, unit: 'requests', says: 'UploadPartCopy that a step keeps in flight' },
  partCopy: { value: 0.5, unit: 's', says: 'one UploadPartCopy of a block: S3 moves the bytes, the function waits' },
  copyRate: {
    value: 100e6,
    unit: 'bytes/s',
    says: 'one copy within S3; publishing copies parts of 64 MiB at once',
  },
  readBytes: { value: 8e6, unit: 'bytes', says: 'of one ranged read' },
  smallMemory: { value: 0.5, unit: 'GB', says: 'memory of the steps that touch no pixels, on average' },
  renderMemory: {
    value: 3.538,
    unit: 'GB',
    says: 'memory of RenderBlock and RenderTopLevels (serverless.yml); one core is counted of their two',
  },
  bigMemory: { value: 10.24, unit: 'GB', says: 'memory of the one big function: the largest there is' },
  bigCores: { value: 6, unit: 'cores', says: 'of the one big function' },
  lambdaLimit: { value: 900, unit: 's', says: 'the longest that a function may run' },
  lambdaSecond: { value: 0.0000133334, unit: '$/GB-s', says: lambdaPrices },
  lambdaRequest: { value: 0.2e-6, unit: '$ an invocation', says: lambdaPrices },
  transition: {
    value: 0.025e-3,
    unit: '$ a transition',
    says: 'AWS Step Functions price list, us-east-1, Standard, November 2026: check before quoting',
  },
  put: { value: 0.005e-3, unit: '$ a request', says: `PUT, COPY, UploadPartCopy: ${s3Prices}` },
  get: { value: 0.0004e-3, unit: '$ a request', says: `GET: ${s3Prices}` },
} as const satisfies Record<string, Assumption>;
