/**
 * The ledger in one DynamoDB table. Two kinds of items share it:
 *
 *   imageId = <imageId>          one image: a LedgerEntry, indexed by status
 *   imageId = target#<hash>      one reserved public key and who owns it; no status, so it is in no index
 *
 * Every write is one conditional write of one item (`conditions.ts`). A write whose answer was lost may be repeated: each
 * either happens again with the same result or finds its own result in place.
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
import { targetId, TargetItem } from './items.ts';
import { type ImageStatus, type Ledger, LedgerEntry, type UploadId } from '../ledger.ts';
import { assertOwns } from '../ownership.ts';

export { ledgerTable } from './items.ts';

/** A key that is released between a refused reservation and the read of its owner is tried again. Count of attempts. */
const RESERVATION_ATTEMPTS = 3;

/** A write of an image's item that happens when `condition` holds. Attributes set to undefined are removed. */
interface Change {
  readonly condition: string;
  readonly set: Readonly<Record<string, unknown>>;
  readonly remove?: readonly string[];
  /** Values that only the condition uses. */
  readonly values?: Readonly<Record<string, unknown>>;
}

/** The Ledger in `table`, which must look like `ledgerTable`. */
export function dynamoLedger(options: { client: DynamoDBClient; table: string; clock: () => Date }): Ledger {
  const { table } = options;
  const documents = DynamoDBDocumentClient.from(options.client, { marshallOptions: { removeUndefinedValues: true } });
  const now = (): string => options.clock().toISOString();

  /** Makes the change when its condition holds. Returns whether it held. */
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

  /** A change of the status, and with it of `updatedAt`. */
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

  async function reserve(target: string, owner: { imageId: string; bucket: string; key: string }): Promise<boolean> {
    return conditionHeld(() =>
      documents.send(
        new PutCommand({
          TableName: table,
          Item: { imageId: target, ownerImageId: owner.imageId, ownerBucket: owner.bucket, ownerKey: owner.key },
          ConditionExpression: conditions.mayReserve,
          ...placeholders(conditions.mayReserve, { ownerImageId: owner.imageId }),
        }),
      ),
    );
  }

  return {
    async claim(claim) {
      const { imageId, sequence, bucket, key, etag, recipe } = claim;
      const claimed = await move(claim, 'CLAIMED', {
        condition: conditions.mayClaim,
        // Everything of an older upload is replaced or removed, except `published` and `sidecar`: the older upload's
        // public file is what readers see until this upload's file replaces it.
        set: { sequence, bucket, key, etag, recipe },
        remove: ['executionArn', 'metadata', 'rejection', 'failure'],
      });
      if (claimed) return { claimed };
      const entry = await get(imageId);
      // The item was removed between the refused write and this read. The retried claim will be granted.
      if (!entry) throw new ServiceUnavailableError(`Expected the ledger entry of ${imageId} but it was removed`);
      return { claimed, entry };
    },

    async started(upload, executionArn) {
      const started = await move(upload, 'PROCESSING', { condition: conditions.mayStart, set: { executionArn } });
      // A step or a status event came first and set the status. Only the execution is still to be recorded.
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

    async releaseTarget(bucket, key, imageId) {
      await conditionHeld(() =>
        documents.send(
          new DeleteCommand({
            TableName: table,
            Key: { imageId: targetId(bucket, key) },
            ConditionExpression: conditions.mayRelease,
            ...placeholders(conditions.mayRelease, { ownerImageId: imageId }),
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
        set: { published: publication },
        // The sidecar on record belongs to the older file.
        remove: ['failure', 'sidecar'],
        values: { targetBucket: publication.bucket, targetKey: publication.key, targetEtag: publication.etag },
      });
      if (!published) assertOwns(upload, await get(upload.imageId));
    },

    async sidecarPublished(upload, sidecar) {
      await change(upload, { condition: conditions.isPublished, set: { sidecar } });
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
      if (from !== undefined && to !== undefined && from >= to) return; // BETWEEN refuses an inverted range.
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
  };
}

/** The source that owns a reserved key; undefined when the asking image owns it. */
function ownerOf(found: unknown, imageId: string): { bucket: string; key: string } | undefined {
  const owner = TargetItem.parse(found);
  return owner.ownerImageId === imageId ? undefined : { bucket: owner.ownerBucket, key: owner.ownerKey };
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
