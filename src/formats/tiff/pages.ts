/** The pictures of a TIFF: its directories without masks and reduced versions of another. */
import { pagedReader, type RangeReader } from '../../bytes/range-reader.ts';
import { MalformedTiffError, RejectedImageError } from '../../errors.ts';
import { MAX_PAGES } from '../../limits.ts';
import { planLevels, type Size } from '../../pyramid/levels.ts';
import { type Directory, readNumber, readTiff, type TiffFile } from '../../tiff/read.ts';
import { Tag } from '../../tiff/tags.ts';
import type { PagePolicy } from '../../recipe/recipe.ts';
import type { PictureChoice } from '../format.ts';

/**
 * Directories that are read of a TIFF of which one picture is published: more than a pyramid has
 * levels.
 */
const MAX_DIRECTORIES = 256;

interface Page extends Size {
  /** In the chain, from 1. */
  readonly number: number;
  /** Of its directory. Bytes. */
  readonly offset: number;
  readonly isReduced: boolean;
  readonly isMask: boolean;
  /** The directory states that it is one page of several. */
  readonly isNumbered: boolean;
}

/**
 * Chooses the pictures that are published. Directories that state to be masks or reduced versions
 * are left out. If the others are reduced versions of the largest by their sizes, one of each
 * size, the largest is the picture, wherever it is in the chain. Else each is a page of its own,
 * and `policy` decides.
 * Throws MalformedTiffError, and RejectedImageError(MULTI_PAGE) for several pages under `reject`
 * and for more than MAX_PAGES directories under `all`.
 */
export async function chooseTiffPicture(source: RangeReader, policy: PagePolicy): Promise<PictureChoice> {
  const file = await readTiff(pagedReader(source), policy === 'all' ? MAX_PAGES : MAX_DIRECTORIES);
  const pages = await describePages(file);
  const pictures = pages.filter(({ isReduced, isMask }) => !isReduced && !isMask);
  if (pictures.length === 0) return choosePreview(file, pages);
  const largest = pictures.reduce((best, page) => (page.width * page.height > best.width * best.height ? page : best));
  const others = pictures.filter((page) => page !== largest);
  const stranger = isPyramid(largest, others) ? undefined : findStranger(largest, others);
  if (!stranger) return { kind: 'one', ...placeOf(largest), warnings: warningsOf(largest, others) };
  if (policy === 'first') return firstOf(file, pictures);
  const count = `${file.more ? 'more than ' : ''}${file.directories.length} pages`;
  if (policy === 'reject') {
    throw new RejectedImageError('MULTI_PAGE', `${count}, and page ${stranger.number} is a picture of its own`);
  }
  if (file.more) throw new RejectedImageError('MULTI_PAGE', `${count}, which is the most that are published`);
  return { kind: 'several', directories: pictures.map(({ offset }) => offset) };
}

async function describePages(file: TiffFile): Promise<Page[]> {
  const pages: Page[] = [];
  for (const [index, directory] of file.directories.entries()) {
    const size = await readSize(file, directory);
    const subfile = await readNumber(file, directory, Tag.NewSubfileType, 0);
    // The predecessor of NewSubfileType (TIFF 6.0, section 8): 2 is reduced, 3 one page of several.
    const former = await readNumber(file, directory, Tag.SubfileType, 0);
    pages.push({
      ...size,
      number: index + 1,
      offset: file.offsets[index] ?? 0,
      isReduced: (subfile & 1) !== 0 || former === 2,
      isMask: (subfile & 4) !== 0,
      isNumbered: (subfile & 2) !== 0 || former === 3 || directory.has(Tag.PageNumber),
    });
  }
  return pages;
}

async function readSize(file: TiffFile, directory: Directory): Promise<Size> {
  const width = await readNumber(file, directory, Tag.ImageWidth, 0);
  const height = await readNumber(file, directory, Tag.ImageLength, 0);
  const isSize = [width, height].every((side) => Number.isSafeInteger(side) && side >= 1);
  if (isSize) return { width, height };
  throw new MalformedTiffError(`Expected positive integers for the image size but received ${width} × ${height}`);
}

/** DNGVersion (Digital Negative 1.7, chapter 4), in the first directory of every DNG. */
const DNG_VERSION = 50_706;

/** A file of previews and masks only: the picture is elsewhere, unless there is one directory. */
function choosePreview(file: TiffFile, pages: readonly Page[]): PictureChoice {
  const [directory] = file.directories;
  if (directory?.has(DNG_VERSION)) {
    const detail = 'this is a raw photograph (DNG), and its previews are not published; develop it and send the TIFF';
    throw new RejectedImageError('UNSUPPORTED_FORMAT', detail);
  }
  if (pages.length > 1 || directory?.has(Tag.SubIfds)) {
    throw new RejectedImageError('MULTI_PAGE', 'page 1 is a preview of another');
  }
  return { kind: 'one', warnings: [] };
}

/** Whether the largest page is followed by levels of a pyramid only. */
function isPyramid(largest: Page, others: readonly Page[]): boolean {
  return others.every((page) => page.number > largest.number && isHalving(page, largest));
}

/** The first page that is no reduced version of the largest, or is the second one of its size. */
function findStranger(largest: Page, others: readonly Page[]): Page | undefined {
  return others.find((page, index) => {
    const isReduced = isHalving(page, largest) || isReducedVersion(page, largest);
    return (
      !isReduced || others.slice(0, index).some(({ width, height }) => width === page.width && height === page.height)
    );
  });
}

/** Whether a page has the size of a level of a pyramid. */
function isHalving(page: Size, largest: Size): boolean {
  return planLevels(largest, 1)
    .slice(1)
    .some(({ width, height }) => page.width === width && page.height === height);
}

/**
 * Whether a page that does not state to be one of several has at most half the sides of the largest
 * one and its proportions, to within a pixel of its own.
 */
function isReducedVersion(page: Page, largest: Size): boolean {
  const { width, height, isNumbered } = page;
  if (isNumbered || 2 * width > largest.width + 1 || 2 * height > largest.height + 1) return false;
  const proportionalWidth = (height * largest.width) / largest.height;
  const proportionalHeight = (width * largest.height) / largest.width;
  return Math.abs(proportionalWidth - width) <= 1 || Math.abs(proportionalHeight - height) <= 1;
}

/** The first directory needs no offset. */
function placeOf({ number, offset }: Page): { directory?: number } {
  return number === 1 ? {} : { directory: offset };
}

function warningsOf(picture: Page, others: readonly Page[]): string[] {
  if (isPyramid(picture, others)) return [];
  const numbers = others.map(({ number }) => number).join(', ');
  const left = others.length === 1 ? `page ${numbers} is a reduced version of it` : `${numbers} are reduced versions`;
  return [`pages: page ${picture.number} is published, ${left}`];
}

function firstOf({ more }: TiffFile, [first, ...others]: readonly Page[]): PictureChoice {
  const count = `${more ? 'more than ' : ''}${others.length + 1}`;
  const warning = `pages: the first of ${count} pages is published`;
  return { kind: 'one', ...(first ? placeOf(first) : {}), warnings: [warning] };
}
