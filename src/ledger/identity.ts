/** Identifiers of images and uploads in the ledger, the work area and Step Functions. */
import { createHash } from 'node:crypto';
import type { UploadId } from './ledger.ts';

/** Number of digits of a sequence. S3 currently sends 16 or 18. */
const SEQUENCE_DIGITS = 32;

/**
 * Identifies an image by the key of its master: sha256(bucket, NUL, key), hex, first 32 characters.
 * A page that is an image of its own is identified by its number too: sha256("page ", number, NUL,
 * bucket, NUL, key).
 */
export function imageId(bucket: string, key: string, page?: number): string {
  // Bucket names contain neither NUL nor spaces, so different images have different hash inputs.
  const name = page === undefined ? `${bucket}\0${key}` : `page ${page}\0${bucket}\0${key}`;
  return createHash('sha256').update(name, 'utf8').digest('hex').slice(0, 32);
}

/**
 * The S3 event sequencer as 32 upper-case hex digits, so that uploads of one key sort as strings,
 * oldest first.
 *
 * Sequencers differ in length, and the shorter one is padded with zeros on the RIGHT before they
 * are compared:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and
 * https://repost.aws/knowledge-center/s3-duplicate-sqs-messages. (Old revisions of the first page
 * said left.)
 *
 * Throws when the sequencer is not hexadecimal or longer than 32 digits.
 */
export function sequenceOf(sequencer: string): string {
  if (!/^[0-9A-Fa-f]{1,32}$/u.test(sequencer)) {
    throw new Error(
      `Expected 1 to ${SEQUENCE_DIGITS} hex digits for sequencer but received ${JSON.stringify(sequencer)}`,
    );
  }
  return sequencer.toUpperCase().padEnd(SEQUENCE_DIGITS, '0');
}

/** `<imageId>-<sequence>`, 65 characters. Step Functions allows 80. */
export function executionName(upload: UploadId): string {
  return `${upload.imageId}-${upload.sequence}`;
}

/**
 * The upload an execution was started for, or undefined when its name was not made by
 * `executionName`.
 */
export function parseExecutionName(name: string): UploadId | undefined {
  const parts = /^(?<imageId>[0-9a-f]{32})-(?<sequence>[0-9A-F]{32})$/u.exec(name)?.groups;
  if (parts?.['imageId'] === undefined || parts['sequence'] === undefined) return undefined;
  return { imageId: parts['imageId'], sequence: parts['sequence'] };
}
