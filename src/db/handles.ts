// What a query and a job's handler take. By themselves, so that the types of the package name kysely and no driver.
import type { Kysely, Transaction } from 'kysely';
import type { DB } from './generated/database';

/** The ledger itself or an open transaction. */
export type Db = Kysely<DB> | Transaction<DB>;
export type Tx = Transaction<DB>;
