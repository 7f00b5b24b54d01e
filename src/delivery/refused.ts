/** A request that is answered with an error. The message is the whole body: one sentence. */
export class RefusedRequestError extends Error {
  override readonly name = 'RefusedRequestError';
  readonly status: 400 | 404 | 405 | 413 | 501 | 503;

  constructor(status: RefusedRequestError['status'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}
