/** What can be published of an image beside its TIFF. */
import type { LedgerEntry, Publication, PublishedOutput } from '../ledger/ledger.ts';
import type { Level, Size } from '../pyramid/levels.ts';
import type { Plan } from '../pyramid/plan.ts';
import type { PlainGrid, GridPosition } from '../pyramid/tile-grids.ts';
import type { OutputName } from '../recipe/outputs.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/** A small object to publish. */
export interface PlainFile {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly cacheControl: string;
}

/** An image of the whole region. */
export interface WholeImage {
  /** The level that it is made from; it is reduced if its size is another one. */
  readonly level: number;
  readonly size: Size;
  /** JPEG quality. */
  readonly quality: number;
  /** Each key gets the same bytes. */
  readonly keys: readonly string[];
}

/** What `files` may use. */
export interface FilesContext {
  readonly store: ObjectStore;
  readonly plan: Plan;
  readonly published: Pick<Publication, 'bucket' | 'key' | 'etag' | 'size'>;
  /**
   * URL under which the published bucket is served, without a slash at the end, if the stage has
   * one.
   */
  readonly publicUrl?: string | undefined;
  /** URL of the image server, without a slash at the end, if the stage has one. */
  readonly serverUrl?: string | undefined;
  /** The bytes of the sidecar. */
  readonly sidecar: Uint8Array;
  /** The ledger entry of the image, with the outputs of this plan. */
  readonly entry: LedgerEntry;
  /** Folder of the files that recipes name. */
  readonly recipesDirectory: string;
}

/** What an output publishes of one plan. */
export interface PlannedOutput {
  readonly grids: readonly PlainGrid[];
  /** Keys of a tile; each gets the same bytes. */
  tileKeys(grid: PlainGrid, level: Level, tile: GridPosition): readonly string[];
  readonly images: readonly WholeImage[];
  /**
   * Keys of `files`, in the same order. The last is the descriptor, by which readers find the rest.
   */
  readonly fileKeys: readonly string[];
  /** Thumbnails among `fileKeys`. */
  readonly pictures?: PublishedOutput['pictures'];
  /** Written after tiles and images, one after the other. */
  files(context: FilesContext): readonly PlainFile[] | Promise<readonly PlainFile[]>;
}

/**
 * One output that a recipe may list. Its folder in `src/outputs` has the code; registry.ts lists
 * it.
 */
export interface Output {
  readonly name: Exclude<OutputName, 'tiff'>;
  /**
   * Prefixes of all keys that it ever publishes for an image; `base` is its public key without
   * `.tif`.
   */
  prefixes(base: string): readonly string[];
  planned(plan: Plan, base: string): PlannedOutput;
}

/**
 * Tiles and images keep their URL when an image is published again, so caches ask again after a
 * day.
 */
export const PIXELS_CACHE = 'public, max-age=86400';
/** Descriptors, by which a viewer sees a new image. */
export const DESCRIPTOR_CACHE = 'public, max-age=60';
