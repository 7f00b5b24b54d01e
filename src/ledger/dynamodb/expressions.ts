/** Expressions of DynamoDB and what they mention. */
import { imageStatuses } from '../ledger.ts';

/** `:FAILED` and the like. */
const statusValues = Object.fromEntries(imageStatuses.map((status) => [status, status]));

/** The clauses for `updatedAt` in [from, to], of which a key condition may hold one. */
export function updatedBetween(from: string | undefined, to: string | undefined): string[] {
  if (from !== undefined && to !== undefined) return ['#updatedAt BETWEEN :from AND :to'];
  if (from !== undefined) return ['#updatedAt >= :from'];
  return to === undefined ? [] : ['#updatedAt < :to'];
}

/** The names and values that an expression mentions; DynamoDB refuses any that it does not. */
export function placeholders(
  expression: string,
  given: Readonly<Record<string, unknown>>,
): { ExpressionAttributeNames: Record<string, string>; ExpressionAttributeValues: Record<string, unknown> } {
  const values: Readonly<Record<string, unknown>> = { ...statusValues, ...given };
  const mentioned = (sign: string): string[] =>
    [...expression.matchAll(new RegExp(`${sign}(\\w+)`, 'gu'))].map(([, name = '']) => name);
  return {
    ExpressionAttributeNames: Object.fromEntries(mentioned('#').map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(mentioned(':').map((name) => [`:${name}`, values[name]])),
  };
}
