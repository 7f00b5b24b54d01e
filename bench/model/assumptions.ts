/** Values that the model assumes, with their sources. */

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
    says: 'between S3 and one function, each way; reading overlaps with computing, writing follows',
  },
  core: { value: 1, unit: 'core', says: "speed of a Lambda core in units of this machine's core" },
  bytesPerPixel: { value: 3, unit: 'bytes', says: 'of the master: uncompressed 8-bit RGB, each byte read once' },
  mapConcurrency: {
    value: 40,
    unit: 'functions',
    says: 'limit of concurrent iterations of an inline Map (Step Functions quota)',
  },
  coldStart: {
    value: 1.5,
    unit: 's',
    says: 'cold start of a function: one per step of an image, those of the Map at the same time',
  },
  invoke: { value: 0.05, unit: 's', says: 'from one state to the next: transition and warm invocation' },
  request: { value: 0.03, unit: 's', says: 'one small S3 request' },
  requestsAtOnce: { value: 8, unit: 'requests', says: 'concurrent requests of one step' },
  copiesAtOnce: { value: 32, unit: 'requests', says: 'concurrent UploadPartCopy requests of one step' },
  partCopy: { value: 0.5, unit: 's', says: 'one UploadPartCopy of a block, copied within S3' },
  copyRate: {
    value: 100e6,
    unit: 'bytes/s',
    says: 'one copy within S3; publishing copies parts of 64 MiB concurrently',
  },
  readBytes: { value: 8e6, unit: 'bytes', says: 'size of one ranged read' },
  smallMemory: { value: 0.5, unit: 'GB', says: 'mean memory of the steps that process no pixels' },
  renderMemory: {
    value: 3.538,
    unit: 'GB',
    says: 'memory of RenderBlock and RenderTopLevels (serverless.yml); one of their two cores is counted',
  },
  bigMemory: { value: 10.24, unit: 'GB', says: 'memory of the one large function, the maximum of Lambda' },
  bigCores: { value: 6, unit: 'cores', says: 'cores of the one large function' },
  lambdaLimit: { value: 900, unit: 's', says: 'maximum run time of a function' },
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
