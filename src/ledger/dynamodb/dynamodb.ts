/**
 * The ledger in one DynamoDB table. Two kinds of items share it:
 *
 *   imageId = <imageId>          one image: a LedgerEntry, indexed by status
 *   imageId = target#<hash>      one reserved public key and its owner, not indexed
 *
 * Every write is one idempotent conditional write of one item (`conditions.ts`), so a write whose
 * response was lost may be repeated.
 */
import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
  type QueryCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { ServiceUnavailableError } from '../../errors.ts';
import { callService } from '../../service-errors.ts';
import * as conditions from './conditions.ts';
import { placeholders, updatedBetween } from './expressions.ts';
import { publishedAttributes, queryPublished, readPublished } from './published.ts';
import { targetId, TargetItem } from './items.ts';
import { type Claim, type ImageStatus, type Ledger, LedgerEntry, type TargetOwner, type UploadId } from '../ledger.ts';
import { assertOwns, isPublishedAs } from '../ownership.ts';

export { ledgerTable } from './items.ts';

/**
 * Number of attempts to reserve a key that is released between the refused reservation and the read
 * of its owner.
 */
const RESERVATION_ATTEMPTS = 3;

/** A conditional write of an image's item. Attributes set to undefined are removed. */
interface Change {
  readonly condition: string;
  readonly set: Readonly<Record<string, unknown>>;
  readonly remove?: readonly string[];
  /** Values of the condition. */
  readonly values?: Readonly<Record<string, unknown>>;
}

/** The Ledger in `table`, which must have the schema `ledgerTable`. */
export function dynamoLedger(options: { client: DynamoDBClient; table: string; clock: () => Date }): Ledger {
  const { table } = options;
  const documents = DynamoDBDocumentClient.from(options.client, { marshallOptions: { removeUndefinedValues: true } });
  const now = (): string => options.clock().toISOString();

  /** Writes the change if its condition holds. Returns whether it held. */
  async function change(upload: UploadId, { condition, set, remove = [], values = {} }: Change): Promise<boolean> {
    const given = { ...set, ...values, sequence: upload.sequence };
    const setting = Object.keys(set).filter((name) => set[name] !== undefined);
    const removing = [...remove, ...Object.keys(set).filter((name) => set[name] === undefined)];
    const update =
      `SET ${setting.map((name) => `#${name} = :${name}`).join(', ')}` +
      (removing.length > 0 ? ` REMOVE ${removing.map((name) => `#${name}`).join(', ')}` : '');
    return conditionHeld(() =>
      documents.send(
        new UpdateCommand({
          TableName: table,
          Key: { imageId: upload.imageId },
          UpdateExpression: update,
          ConditionExpression: condition,
          ...placeholders(`${update} ${condition}`, given),
        }),
      ),
    );
  }

  /** Changes the status and `updatedAt`. */
  function move(upload: UploadId, status: ImageStatus, { set, ...rest }: Change): Promise<boolean> {
    return change(upload, { ...rest, set: { ...set, status, updatedAt: now() } });
  }

  async function item(key: string): Promise<Record<string, unknown> | undefined> {
    const answer = await callService('DynamoDB', () =>
      documents.send(new GetCommand({ TableName: table, Key: { imageId: key }, ConsistentRead: true })),
    );
    return answer.Item;
  }

  async function get(imageId: string): Promise<LedgerEntry | undefined> {
    const found = await item(imageId);
    return found && LedgerEntry.parse(found);
  }

  async function reserve(target: string, owner: Claim): Promise<boolean> {
    const reservation = { ownerImageId: owner.imageId, ownerSequence: owner.sequence };
    return conditionHeld(() =>
      documents.send(
        new PutCommand({
          TableName: table,
          Item: { imageId: target, ...reservation, ownerBucket: owner.bucket, ownerKey: owner.key },
          ConditionExpression: conditions.mayReserve,
          ...placeholders(conditions.mayReserve, reservation),
        }),
      ),
    );
  }

  return {
    async claim(claim) {
      const { imageId, sequence, bucket, key, etag, recipe, page } = claim;
      const claimed = await move(claim, 'CLAIMED', {
        condition: conditions.mayClaim,
        // All fields of an older upload are replaced or removed, except `published`, `sidecar` and
        // `outputs`: the public files of the older upload remain until this upload's replace them.
        set: { sequence, bucket, key, etag, recipe, page },
        remove: ['executionArn', 'pages', 'metadata', 'rejection', 'failure'],
      });
      if (claimed) return { claimed };
      const entry = await get(imageId);
      // The item was removed between the refused write and this read. The retried claim will be
      // granted.
      if (!entry) throw new ServiceUnavailableError(`Expected the ledger entry of ${imageId} but it was removed`);
      return { claimed, entry };
    },

    async started(upload, executionArn) {
      const started = await move(upload, 'PROCESSING', { condition: conditions.mayStart, set: { executionArn } });
      // A step or a status event has already set the status; only the execution is missing.
      if (!started) await change(upload, { condition: conditions.mayNoteExecution, set: { executionArn } });
    },

    async recordMetadata(upload, metadata) {
      const recorded = await move(upload, 'PROCESSING', {
        condition: conditions.mayProceed,
        set: { metadata },
        remove: ['failure'],
      });
      if (!recorded) assertOwns(upload, await get(upload.imageId));
    },

    async reserveTarget(bucket, key, owner) {
      const target = targetId(bucket, key);
      for (let attempt = 0; attempt < RESERVATION_ATTEMPTS; attempt++) {
        if (await reserve(target, owner)) return undefined;
        const found = await item(target);
        if (found) return ownerOf(found, owner.imageId);
      }
      throw new ServiceUnavailableError(`Expected a stable owner for ${bucket}/${key} but it changed with every read`);
    },

    async releaseTarget(bucket, key, { imageId, sequence }) {
      await conditionHeld(() =>
        documents.send(
          new DeleteCommand({
            TableName: table,
            Key: { imageId: targetId(bucket, key) },
            ConditionExpression: conditions.mayRelease,
            ...placeholders(conditions.mayRelease, { ownerImageId: imageId, ownerSequence: sequence }),
          }),
        ),
      );
    },

    async assertCurrent(upload) {
      assertOwns(upload, await get(upload.imageId));
    },

    async published(upload, publication) {
      const published = await move(upload, 'PUBLISHED', {
        condition: conditions.mayPublish,
        set: { published: publication, ...publishedAttributes(publication), publishedAt: now() },
        // The recorded sidecar belongs to the previous file.
        remove: ['failure', 'sidecar'],
        values: { targetBucket: publication.bucket, targetKey: publication.key, targetEtag: publication.etag },
      });
      if (!published) assertOwns(upload, await get(upload.imageId));
    },

    async sidecarPublished(upload, sidecar) {
      await change(upload, { condition: conditions.isPublished, set: { sidecar } });
    },

    async outputsPublished(upload, outputs) {
      await change(upload, { condition: conditions.isPublished, set: { outputs } });
    },

    async divided(upload, pages) {
      const divided = await move(upload, 'DIVIDED', {
        condition: conditions.mayProceed,
        set: { pages },
        remove: ['failure'],
      });
      if (!divided) assertOwns(upload, await get(upload.imageId));
    },

    async rejected(upload, { code, detail }) {
      await move(upload, 'REJECTED', {
        condition: conditions.mayProceed,
        set: { rejection: { code, detail } },
        remove: ['failure'],
      });
    },

    async superseded(upload) {
      await move(upload, 'SUPERSEDED', { condition: conditions.mayProceed, set: {}, remove: ['failure'] });
    },

    async ended(upload, status, { error, cause }) {
      await move(upload, status, { condition: conditions.mayProceed, set: { failure: { error, cause } } });
    },

    async resumed(upload) {
      await move(upload, 'PROCESSING', { condition: conditions.mayResume, set: {}, remove: ['failure'] });
    },

    get,

    async *listByStatus(status, { from, to } = {}) {
      // BETWEEN refuses an inverted range.
      if (from !== undefined && to !== undefined && from >= to) return;
      const keyCondition = ['#status = :status', ...updatedBetween(from, to)].join(' AND ');
      const query: QueryCommandInput = {
        TableName: table,
        IndexName: 'byStatus',
        KeyConditionExpression: keyCondition,
        ...placeholders(keyCondition, { status, from, to }),
      };
      let next: QueryCommandInput['ExclusiveStartKey'];
      do {
        const page = await callService('DynamoDB', () =>
          documents.send(new QueryCommand({ ...query, ExclusiveStartKey: next })),
        );
        // BETWEEN includes its upper end.
        for (const found of page.Items ?? []) if (found['updatedAt'] !== to) yield LedgerEntry.parse(found);
        next = page.LastEvaluatedKey;
      } while (next);
    },

    listPublished: (bucket, query) => queryPublished({ documents, table }, bucket, query),

    async findPublished(bucket, key) {
      const target = await item(targetId(bucket, key));
      const entry = target && (await get(TargetItem.parse(target).ownerImageId));
      return entry && isPublishedAs(entry, bucket, key) ? entry : undefined;
    },

    findAllPublished: (bucket, keys) => readPublished({ documents, table }, bucket, keys),
  };
}

/** The image that has reserved a key; undefined if it is `imageId`. */
function ownerOf(found: unknown, imageId: string): TargetOwner | undefined {
  const { ownerImageId, ownerBucket, ownerKey } = TargetItem.parse(found);
  return ownerImageId === imageId ? undefined : { imageId: ownerImageId, bucket: ownerBucket, key: ownerKey };
}

/** Runs a conditional write. Returns whether its condition held. */
async function conditionHeld(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await callService('DynamoDB', write);
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
