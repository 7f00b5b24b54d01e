/**
 * The definition of the table, and the items of reserved public keys. Items of images are
 * `LedgerEntry`.
 */
import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { z } from 'zod';
import { imageId } from '../identity.ts';

/** The table without its name. `resources/storage.yml` declares the same one. */
export const ledgerTable = {
  KeySchema: [{ AttributeName: 'imageId', KeyType: 'HASH' }],
  AttributeDefinitions: [
    { AttributeName: 'imageId', AttributeType: 'S' },
    { AttributeName: 'status', AttributeType: 'S' },
    { AttributeName: 'updatedAt', AttributeType: 'S' },
    { AttributeName: 'publishedBucket', AttributeType: 'S' },
    { AttributeName: 'publishedAt', AttributeType: 'S' },
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
    {
      // Only public images have these attributes. A search reads the `searchKey` of many items.
      IndexName: 'byPublication',
      KeySchema: [
        { AttributeName: 'publishedBucket', KeyType: 'HASH' },
        { AttributeName: 'publishedAt', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['searchKey'] },
    },
  ],
  BillingMode: 'PAY_PER_REQUEST',
} satisfies Omit<CreateTableCommandInput, 'TableName'>;

/**
 * The source image that owns a reserved public key. Items of earlier versions lack `ownerSequence`.
 */
export const TargetItem = z.object({ ownerImageId: z.string(), ownerBucket: z.string(), ownerKey: z.string() });

/** The key of the item that reserves a public key. */
export function targetId(bucket: string, key: string): string {
  return `target#${imageId(bucket, key)}`;
}
