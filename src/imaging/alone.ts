/**
 * Errors of libvips that are a property of the image. libvips has one buffer of error messages for
 * the whole process, which every operation appends to and clears when it ends: while other images
 * are decoded, the reason of a failure may be that of another image, or be missing. A decoding that
 * fails is therefore repeated in a process where nothing else is decoded, and the error of the
 * repetition counts. Decoding that succeeds costs nothing (docs/decisions/0021).
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DeadlineExceededError, RejectedImageError } from '../errors.ts';
import { TimeLimitError } from '../isolation/isolated-process.ts';
import { isolated } from '../isolation/isolated.ts';
import { rectSize } from '../pyramid/blocks.ts';
import { Arena } from './arena.ts';
import { arrangeChunks } from './arrange-chunks.ts';
import { decodeRect } from './decode.ts';
import { decodePipeline, type DecodeRequest } from './pipelines.ts';
import { type ReadRect, withDecodedFile } from './decoded-file.ts';
import { readFileMetadata } from './file-metadata.ts';
import { interleavePlanes } from './interleave.ts';
import type { Raster } from './raster.ts';

type Input = string | Uint8Array;
type Planes = Parameters<typeof interleavePlanes>;
type Chunks = Parameters<typeof arrangeChunks>;

/** An input on its way to another process: a file, whose content is passed to libvips if `held`. */
interface SentInput {
  readonly file: string;
  readonly held: boolean;
}

const program = (): URL => new URL('./alone-process.ts', import.meta.url);

const repeatRect = isolated(
  'repeatRect',
  program,
  async ({ input, request }: { readonly input: SentInput; readonly request: DecodeRequest }) => {
    const picture = await received(input);
    await withArena((arena) => decodeRect(picture, request, arena));
  },
);

const repeatOnce = isolated(
  'repeatOnce',
  program,
  async ({ input, request }: { readonly input: SentInput; readonly request: DecodeRequest }) => {
    await decodeToFile(await received(input), request, () => Promise.resolve());
  },
);

const repeatPlanes = isolated(
  'repeatPlanes',
  program,
  async ({ input, stack, size }: { input: SentInput; stack: Planes[1]; size: Planes[2] }) => {
    const slice = Uint8Array.from(await readFile(input.file));
    await withArena((arena) => interleavePlanes(slice, stack, size, arena));
  },
);

const repeatChunks = isolated(
  'repeatChunks',
  program,
  async ({ input, column, size }: { input: SentInput; column: Chunks[1]; size: Chunks[2] }) => {
    const slice = Uint8Array.from(await readFile(input.file));
    await withArena((arena) => arrangeChunks(slice, column, size, arena));
  },
);

const repeatMetadata = isolated('repeatMetadata', program, async ({ input }: { readonly input: SentInput }) => {
  await readFileMetadata(await readFile(input.file));
});

/** `decodeRect`, with the error of this image. */
export function decodeRectAlone(input: Input, request: DecodeRequest, arena: Arena): Promise<Raster> {
  return withOwnError(
    input,
    request.timeoutSeconds,
    () => decodeRect(input, request, arena),
    (sent, timeoutSeconds, limitMs) => repeatRect({ input: sent, request: { ...request, timeoutSeconds } }, limitMs),
  );
}

/** Decodes the request once into a file (`withDecodedFile`), with the error of this image. */
export function decodeOnceAlone<Result>(
  input: Input,
  request: DecodeRequest,
  use: (read: ReadRect) => Promise<Result>,
): Promise<Result> {
  const start = performance.now();
  return decodeToFile(input, request, use, (error) =>
    ownError(error, input, request.timeoutSeconds - secondsSince(start), (sent, timeoutSeconds, limitMs) =>
      repeatOnce({ input: sent, request: { ...request, timeoutSeconds } }, limitMs),
    ),
  );
}

function decodeToFile<Result>(
  input: Input,
  request: DecodeRequest,
  use: (read: ReadRect) => Promise<Result>,
  explain?: (error: unknown) => Promise<unknown>,
): Promise<Result> {
  const { bands, bitDepth, crop } = request;
  return withDecodedFile(decodePipeline(input, request), { ...rectSize(crop), bands, bitDepth }, use, explain);
}

/** `interleavePlanes`, with the error of this image. */
export function interleavePlanesAlone(...[slice, stack, size, arena]: Planes): Promise<Uint8Array> {
  return withOwnError(
    slice,
    size.timeoutSeconds,
    () => interleavePlanes(slice, stack, size, arena),
    (input, timeoutSeconds, limitMs) => repeatPlanes({ input, stack, size: { ...size, timeoutSeconds } }, limitMs),
  );
}

/** `arrangeChunks`, with the error of this image. */
export function arrangeChunksAlone(...[slice, column, size, arena]: Chunks): Promise<Uint8Array> {
  return withOwnError(
    slice,
    size.timeoutSeconds,
    () => arrangeChunks(slice, column, size, arena),
    (input, timeoutSeconds, limitMs) => repeatChunks({ input, column, size: { ...size, timeoutSeconds } }, limitMs),
  );
}

/** Time in which libvips reads a header. Seconds. */
const HEADER_TIME = 30;

/** The error of `readFileMetadata` for these bytes, given the error that it threw. */
export function ownMetadataError(error: unknown, bytes: Uint8Array): Promise<unknown> {
  return ownError(error, bytes, HEADER_TIME, (input, _, limitMs) => repeatMetadata({ input }, limitMs));
}

type Repeat = (input: SentInput, timeoutSeconds: number, limitMs: number) => Promise<unknown>;

async function withOwnError<Result>(
  input: Input,
  timeoutSeconds: number,
  run: () => Promise<Result>,
  repeat: Repeat,
): Promise<Result> {
  const start = performance.now();
  try {
    return await run();
  } catch (error) {
    throw await ownError(error, input, timeoutSeconds - secondsSince(start), repeat);
  }
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}

/**
 * Repeats what failed with `error`, within `left` seconds, and returns the error of the repetition.
 * A failure that does not repeat is one of the machine, and a message that says so.
 */
async function ownError(error: unknown, input: Input, left: number, repeat: Repeat): Promise<unknown> {
  if (left < 1) return new DeadlineExceededError('decoding did not end in time', { cause: error });
  return withSent(input, async (sent) => {
    try {
      await repeat(sent, left, left * 1000);
    } catch (repeated) {
      if (repeated instanceof TimeLimitError) return new DeadlineExceededError(repeated.message, { cause: repeated });
      return withoutPath(repeated, sent.file);
    }
    const reason = error instanceof Error ? error.message : String(error);
    return new Error(`libvips failed, but not when it decoded this image alone: ${reason}`, { cause: error });
  });
}

async function withSent<Result>(input: Input, use: (sent: SentInput) => Promise<Result>): Promise<Result> {
  if (typeof input === 'string') return use({ file: input, held: false });
  const folder = await mkdtemp(path.join(tmpdir(), 'stepwell-alone-'));
  try {
    const file = path.join(folder, 'input');
    await writeFile(file, input);
    return await use({ file, held: true });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function received({ file, held }: SentInput): Promise<Input> {
  return held ? await readFile(file) : file;
}

async function withArena(use: (arena: Arena) => Promise<unknown>): Promise<void> {
  const arena = new Arena();
  try {
    await use(arena);
  } finally {
    arena.release();
  }
}

/** A temporary file has another name in every run. */
function withoutPath(error: unknown, file: string): unknown {
  if (!(error instanceof RejectedImageError) || !error.message.includes(file)) return error;
  const detail = error.message.slice(`${error.code}: `.length).replaceAll(file, 'the file');
  return new RejectedImageError(error.code, detail, { cause: error });
}
