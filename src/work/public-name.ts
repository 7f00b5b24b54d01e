/**
 * Reservations of public names. A name belongs to the image that reserved it until that image has
 * ended and has no object of this name.
 */
import type { Claim, ImageStatus, Ledger, LedgerEntry, TargetOwner } from '../ledger/ledger.ts';
import type { ObjectRef, ObjectStore } from '../storage/object-store.ts';
import { findObject, imageOf } from './public-object.ts';

interface NamePorts {
  readonly store: ObjectStore;
  readonly ledger: Ledger;
}

const final: ReadonlySet<ImageStatus> = new Set(['PUBLISHED', 'DIVIDED', 'REJECTED', 'SUPERSEDED']);

/**
 * Reserves a public name for an image. The name of another image is taken over if that image has
 * ended and its object was removed. Returns the master of the image that owns the name, or
 * undefined if the name is reserved for this image.
 */
export async function reservePublicName(
  ports: NamePorts,
  { bucket, key }: ObjectRef,
  claim: Claim,
): Promise<TargetOwner | undefined> {
  const owner = await ports.ledger.reserveTarget(bucket, key, claim);
  const entry = owner && (await ports.ledger.get(owner.imageId));
  if (!entry || !final.has(entry.status) || (await isPublic(ports.store, { bucket, key }, entry))) return owner;
  // Changes nothing if a newer upload of the owner has reserved the name meanwhile.
  await ports.ledger.releaseTarget(bucket, key, entry);
  return ports.ledger.reserveTarget(bucket, key, claim);
}

/**
 * Releases the public name of a rejected upload. A name under which an earlier upload of the image
 * is public remains reserved, and so does the name of an upload that is not recorded as REJECTED:
 * it was published before a later state failed, or a newer upload owns the image.
 */
export async function releasePublicName(
  ports: NamePorts,
  { bucket, key }: ObjectRef,
  { imageId: id, sequence }: Claim,
): Promise<void> {
  const entry = await ports.ledger.get(id);
  if (entry?.sequence !== sequence || entry.status !== 'REJECTED') return;
  if (await isPublic(ports.store, { bucket, key }, entry)) return;
  await ports.ledger.releaseTarget(bucket, key, entry);
}

/**
 * Whether the public object of this name is the image's. An object without an origin, such as a
 * published file that was restored from a copy, is the image's if the ledger has it as published.
 */
async function isPublic(store: ObjectStore, { bucket, key }: ObjectRef, entry: LedgerEntry): Promise<boolean> {
  const existing = await findObject(store, { bucket, key });
  if (!existing) return false;
  const origin = imageOf(existing);
  if (origin !== undefined) return origin === entry.imageId;
  return entry.published?.bucket === bucket && entry.published.key === key;
}
