/** DynamoDB expressions, and the attribute names and values that they use. */
import { imageStatuses } from '../ledger.ts';

/** Values of placeholders such as `:FAILED`. */
const statusValues = Object.fromEntries(imageStatuses.map((status) => [status, status]));

/**
 * The clause for `updatedAt` in [from, to]. A key condition may have only one clause for the sort
 * key.
 */
export function updatedBetween(from: string | undefined, to: string | undefined): string[] {
  if (from !== undefined && to !== undefined) return ['#updatedAt BETWEEN :from AND :to'];
  if (from !== undefined) return ['#updatedAt >= :from'];
  return to === undefined ? [] : ['#updatedAt < :to'];
}

/**
 * The names and values that an expression uses. DynamoDB refuses a request that passes unused ones.
 */
export function placeholders(
  expression: string,
  given: Readonly<Record<string, unknown>>,
): { ExpressionAttributeNames: Record<string, string>; ExpressionAttributeValues: Record<string, unknown> } {
  const values: Readonly<Record<string, unknown>> = { ...statusValues, ...given };
  const used = (sign: string): string[] =>
    [...expression.matchAll(new RegExp(`${sign}(\\w+)`, 'gu'))].map(([, name = '']) => name);
  return {
    ExpressionAttributeNames: Object.fromEntries(used('#').map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(used(':').map((name) => [`:${name}`, values[name]])),
  };
}
