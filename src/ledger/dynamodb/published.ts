/** Published images in the index `byPublication`, which has only their keys and search keys. */
import { BatchGetCommand, type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { ServiceUnavailableError } from '../../errors.ts';
import { callService } from '../../service-errors.ts';
import { LedgerEntry, type Publication, type PublishedPage, type PublishedQuery } from '../ledger.ts';
import { pageToken, type PublishedPosition, readPageToken } from '../page-token.ts';
import { searchKey } from '../search.ts';
import { isPublishedAs } from '../ownership.ts';
import { placeholders } from './expressions.ts';
import { targetId, TargetItem } from './items.ts';

/** Number of items that one query of a search evaluates: about 300 kB, 40 read units. */
const EVALUATED_ITEMS = 1000;
/** Number of queries for one page of a search. */
const SEARCH_QUERIES = 5;
/** Number of attempts to read the items of a page, of which DynamoDB may leave some out. */
const READ_ATTEMPTS = 5;

interface Table {
  readonly documents: DynamoDBDocumentClient;
  readonly table: string;
}

const IndexedItem = z.object({ publishedAt: z.string(), imageId: z.string() });

/** The attributes of a published image that the index has, except `publishedAt`. */
export function publishedAttributes({ bucket, key }: Publication): Readonly<Record<string, string>> {
  return { publishedBucket: bucket, searchKey: searchKey(key) };
}

/** See `Ledger.listPublished`. */
export async function queryPublished(table: Table, bucket: string, query: PublishedQuery): Promise<PublishedPage> {
  const { found, last } = await findPositions(table, bucket, query);
  const entries = await readEntries(
    table,
    found.map(({ imageId }) => imageId),
  );
  return { entries, ...(last ? { next: pageToken(last) } : {}) };
}

/** The next positions that match, and the last one evaluated if there may be more. */
async function findPositions(
  { documents, table }: Table,
  publishedBucket: string,
  { limit, after, words = [] }: PublishedQuery,
): Promise<{ found: PublishedPosition[]; last: PublishedPosition | undefined }> {
  const condition = '#publishedBucket = :publishedBucket';
  const filter = words.map((_, index) => `contains(#searchKey, :word${index})`).join(' AND ');
  const values = Object.fromEntries(words.map((word, index) => [`word${index}`, word]));
  const found: PublishedPosition[] = [];
  let last = after === undefined ? undefined : readPageToken(after);
  for (let queries = 0; queries < SEARCH_QUERIES; queries++) {
    const page = await callService('DynamoDB', () =>
      documents.send(
        new QueryCommand({
          TableName: table,
          IndexName: 'byPublication',
          KeyConditionExpression: condition,
          ...(filter === '' ? {} : { FilterExpression: filter }),
          ...placeholders(`${condition} ${filter}`, { publishedBucket, ...values }),
          ScanIndexForward: false,
          Limit: filter === '' ? limit - found.length : EVALUATED_ITEMS,
          ExclusiveStartKey: last && { publishedBucket, ...last },
        }),
      ),
    );
    found.push(...z.array(IndexedItem).parse(page.Items ?? []));
    if (found.length > limit) return { found: found.slice(0, limit), last: found[limit - 1] };
    last = page.LastEvaluatedKey && IndexedItem.parse(page.LastEvaluatedKey);
    if (!last || found.length === limit) break;
  }
  return { found, last };
}

/** See `Ledger.findAllPublished`. The reads are consistent. */
export async function readPublished(
  table: Table,
  bucket: string,
  keys: readonly string[],
): Promise<ReadonlyMap<string, LedgerEntry>> {
  const keyOf = new Map(keys.map((key) => [targetId(bucket, key), key]));
  const targets = await readItems(table, [...keyOf.keys()]);
  const owners = targets.map((target) => TargetItem.parse(target).ownerImageId);
  const items = await readItems(table, [...new Set(owners)]);
  const entries = items.map((item) => LedgerEntry.parse(item));
  const requested = new Set(keys);
  return new Map(
    entries.flatMap((entry) => {
      const key = entry.published?.key;
      return key !== undefined && requested.has(key) && isPublishedAs(entry, bucket, key)
        ? [[key, entry] as const]
        : [];
    }),
  );
}

/** The entries of these images in this order, without those that are no longer public. */
async function readEntries(table: Table, imageIds: readonly string[]): Promise<LedgerEntry[]> {
  const items = await readItems(table, imageIds);
  const entries = new Map(items.map((item) => LedgerEntry.parse(item)).map((entry) => [entry.imageId, entry]));
  return imageIds.flatMap((imageId) => {
    const entry = entries.get(imageId);
    return entry?.published ? [entry] : [];
  });
}

/** The items that exist, in no particular order. */
async function readItems({ documents, table }: Table, imageIds: readonly string[]): Promise<unknown[]> {
  const items: unknown[] = [];
  let keys: Record<string, unknown>[] = imageIds.map((imageId) => ({ imageId }));
  for (let attempt = 0; keys.length > 0; attempt++) {
    if (attempt === READ_ATTEMPTS) {
      throw new ServiceUnavailableError(`Expected ${keys.length} further entries of the ledger but received none`);
    }
    const request = { RequestItems: { [table]: { Keys: keys, ConsistentRead: true } } };
    const answer = await callService('DynamoDB', () => documents.send(new BatchGetCommand(request)));
    items.push(...(answer.Responses?.[table] ?? []));
    keys = answer.UnprocessedKeys?.[table]?.Keys ?? [];
  }
  return items;
}
