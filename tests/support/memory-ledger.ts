/**
 * A ledger in SQLite, in memory: for tests of what is not the ledger. It has the same contract as
 * the one in DynamoDB, but needs neither a server nor the modules of the AWS SDK.
 */
import { openDatabase } from '../../src/database/database.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerMigrations } from '../../src/ledger/sqlite/migrations.ts';
import { sqliteLedger } from '../../src/ledger/sqlite/sqlite.ts';
import { testClock } from './clock.ts';

export function memoryLedger(): { readonly ledger: Ledger; readonly stop: () => void } {
  const database = openDatabase(':memory:', ledgerMigrations);
  return {
    ledger: sqliteLedger({ database, clock: testClock() }),
    stop: () => {
      database.close();
    },
  };
}
