/** What the table holds: its definition, and the shape of its items. */
import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { z } from 'zod';
import { imageId } from '../identity.ts';
import { imageStatuses, type LedgerEntry } from '../ledger.ts';

/** The table, but for its name. `resources/storage.yml` declares the same one. */
export const ledgerTable = {
  KeySchema: [{ AttributeName: 'imageId', KeyType: 'HASH' }],
  AttributeDefinitions: [
    { AttributeName: 'imageId', AttributeType: 'S' },
    { AttributeName: 'status', AttributeType: 'S' },
    { AttributeName: 'updatedAt', AttributeType: 'S' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'byStatus',
      KeySchema: [
        { AttributeName: 'status', KeyType: 'HASH' },
        { AttributeName: 'updatedAt', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'ALL' },
    },
  ],
  BillingMode: 'PAY_PER_REQUEST',
} satisfies Omit<CreateTableCommandInput, 'TableName'>;

const Publication = z.object({
  bucket: z.string(),
  key: z.string(),
  etag: z.string(),
  size: z.number(),
  width: z.number(),
  height: z.number(),
  levels: z.number(),
  tileSize: z.number(),
});
/** An image's item. Attributes of a later version are dropped. */
export const ImageItem = z.object({
  imageId: z.string(),
  sequence: z.string(),
  bucket: z.string(),
  key: z.string(),
  etag: z.string().optional(),
  recipe: z.string(),
  status: z.enum(imageStatuses),
  updatedAt: z.string(),
  executionArn: z.string().optional(),
  metadata: z
    .object({
      format: z.string(),
      width: z.number(),
      height: z.number(),
      bands: z.number(),
      bitDepth: z.number(),
      fileSize: z.number(),
      about: z.record(z.string(), z.string()).optional(),
    })
    .optional(),
  published: Publication.optional(),
  sidecar: z.object({ key: z.string(), sha256: z.string().optional(), md5: z.string().optional() }).optional(),
  rejection: z.object({ code: z.string(), detail: z.string() }).optional(),
  failure: z.object({ error: z.string(), cause: z.string() }).optional(),
}) satisfies z.ZodType<LedgerEntry>;

/** The source image that owns a reserved public key. */
export const TargetItem = z.object({ ownerImageId: z.string(), ownerBucket: z.string(), ownerKey: z.string() });

/** The key of the item that reserves a public key. */
export function targetId(bucket: string, key: string): string {
  return `target#${imageId(bucket, key)}`;
}
