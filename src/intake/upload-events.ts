/**
 * Upload events in the formats of S3: a notification (`Records`) or an EventBridge event, each
 * direct or as the body of a queue message, and the test event that S3 sends when a notification is
 * configured.
 *
 * Formats:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
 */
import { z } from 'zod';
import type { Source } from '../work/execution-input.ts';
import { imageId, sequenceOf } from '../ledger/identity.ts';

/**
 * A batch of queue messages. Bodies are parsed one by one, so that an invalid one does not affect
 * the others.
 */
export const QueueEvent = z.object({
  Records: z
    .array(z.object({ eventSource: z.literal('aws:sqs'), messageId: z.string().min(1), body: z.string() }))
    .min(1),
});
export type QueueEvent = z.infer<typeof QueueEvent>;

/** Records are parsed one by one, so that an invalid one does not affect the others. */
const Notification = z.object({ Records: z.array(z.unknown()) });
const TestEvent = z.object({ Event: z.literal('s3:TestEvent') });
const BridgeEvent = z.object({ source: z.literal('aws.s3'), 'detail-type': z.string(), detail: z.unknown() });

/** An event that did not come through a queue. */
export const DirectEvent = z.union([Notification, BridgeEvent, TestEvent]);
export type DirectEvent = z.infer<typeof DirectEvent>;

const AnyRecord = z.object({ eventSource: z.literal('aws:s3'), eventName: z.string() });
const CreatedRecord = z.object({
  s3: z.object({
    bucket: z.object({ name: z.string().min(1) }),
    object: z.object({
      key: z.string().min(1),
      size: z.int().nonnegative(),
      eTag: z.string().min(1),
      versionId: z.string().nullish(),
      sequencer: z.string(),
    }),
  }),
});
const CreatedDetail = z.object({
  bucket: z.object({ name: z.string().min(1) }),
  object: z.object({
    key: z.string().min(1),
    size: z.int().nonnegative(),
    etag: z.string().min(1),
    'version-id': z.string().nullish(),
    sequencer: z.string(),
  }),
});

/** The uploads of an event. `malformed` has one error for every part that cannot be parsed. */
export interface UploadEvent {
  readonly uploads: readonly Source[];
  readonly malformed: readonly Error[];
}

/** Reads the body of a queue message: JSON of a direct event. Never throws. */
export function readMessage(body: string): UploadEvent {
  return attempt(() => {
    const event = DirectEvent.safeParse(JSON.parse(body));
    if (!event.success) throw unreadable('an upload event', event.error);
    return readEvent(event.data);
  });
}

/** Reads an event that did not come through a queue. Never throws. */
export function readEvent(event: DirectEvent): UploadEvent {
  if ('Records' in event) return joined(event.Records.map((record) => attempt(() => uploads(fromRecord(record)))));
  if ('detail-type' in event) return attempt(() => uploads(fromBridge(event)));
  return uploads(undefined);
}

function fromRecord(record: unknown): Source | undefined {
  const any = AnyRecord.safeParse(record);
  if (!any.success) throw unreadable('an S3 event record', any.error);
  if (!/^(?:s3:)?ObjectCreated:/u.test(any.data.eventName)) return undefined;
  const created = CreatedRecord.safeParse(record);
  if (!created.success) throw unreadable('an S3 ObjectCreated record', created.error);
  const { bucket, object } = created.data.s3;
  return sourceOf(bucket.name, formDecoded(object.key), object.eTag, object);
}

function fromBridge(event: z.infer<typeof BridgeEvent>): Source | undefined {
  if (event['detail-type'] !== 'Object Created') return undefined;
  const detail = CreatedDetail.safeParse(event.detail);
  if (!detail.success) throw unreadable('the detail of Object Created', detail.error);
  const { bucket, object } = detail.data;
  return sourceOf(bucket.name, object.key, object.etag, { ...object, versionId: object['version-id'] });
}

/** The upload; undefined for a folder marker, which the S3 console creates for an empty folder. */
function sourceOf(
  bucket: string,
  key: string,
  etag: string,
  object: { size: number; versionId?: string | null | undefined; sequencer: string },
): Source | undefined {
  const { size, versionId, sequencer } = object;
  if (key.endsWith('/') && size === 0) return undefined;
  return {
    imageId: imageId(bucket, key),
    sequence: sequenceOf(sequencer),
    bucket,
    key,
    ...(versionId ? { versionId } : {}),
    etag: etag.replace(/^"(.*)"$/su, '$1'),
    size,
  };
}

/**
 * Keys in notifications are form-encoded: a plus is a space, and everything else is percent-encoded
 * UTF-8.
 */
function formDecoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch (cause) {
    throw new Error(`Expected a form-encoded key but received ${JSON.stringify(key)}`, { cause });
  }
}

function uploads(source: Source | undefined): UploadEvent {
  return { uploads: source ? [source] : [], malformed: [] };
}

function joined(events: readonly UploadEvent[]): UploadEvent {
  return {
    uploads: events.flatMap((event) => event.uploads),
    malformed: events.flatMap((event) => event.malformed),
  };
}

function attempt(read: () => UploadEvent): UploadEvent {
  try {
    return read();
  } catch (error) {
    return { uploads: [], malformed: [error instanceof Error ? error : new Error(String(error))] };
  }
}

function unreadable(what: string, cause: z.ZodError): Error {
  return new Error(`Expected ${what}:\n${z.prettifyError(cause)}`, { cause });
}
