/** Small PDFs written by hand (ISO 32000-1). */
import { deflateSync } from 'node:zlib';

export interface PdfPage {
  /** Points. */
  readonly width: number;
  readonly height: number;
  /** Operators that draw the page. */
  readonly content: string;
  /** Degrees, clockwise. */
  readonly rotate?: number;
  /** RGB, three bytes a pixel, named /Picture in the content; uncompressed unless it is deflated. */
  readonly picture?: {
    readonly width: number;
    readonly height: number;
    readonly rgb: Uint8Array;
    readonly deflated?: boolean;
  };
}

export interface HandPdf {
  readonly pages: readonly PdfPage[];
  /**
   * Contents of transparency groups, which pages and groups name /F0, /F1, … ; `/Half gs` makes what
   * follows half transparent.
   */
  readonly forms?: readonly string[];
  /** Declares the standard security handler, with an unknown password. */
  readonly locked?: boolean;
}

/**
 * Objects 1 and 2 are the catalogue and the page tree; then each page, its content and its picture.
 */
export function pdf({ pages, forms = [], locked = false }: HandPdf): Uint8Array {
  const firstForm = 3 + 3 * pages.length;
  const formNames = forms.map((_, index) => `/F${index} ${firstForm + index} 0 R`).join(' ');
  const formResources = forms.length === 0 ? '' : `/XObject << ${formNames} >> /ExtGState << /Half << /ca 0.5 >> >>`;
  const kids = pages.map((_, index) => `${3 + 3 * index} 0 R`).join(' ');
  const objects = [
    Buffer.from('<< /Type /Catalog /Pages 2 0 R >>'),
    Buffer.from(`<< /Type /Pages /Count ${pages.length} /Kids [${kids}] >>`),
    ...pages.flatMap((page, index) => pageObjects(page, 3 + 3 * index, formResources)),
    ...forms.map((content) =>
      stream(
        '/Type /XObject /Subtype /Form /BBox [0 0 14400 14400] /Group << /S /Transparency >> ' +
          `/Resources << ${formResources} >>`,
        Buffer.from(content),
      ),
    ),
  ];
  const encryption = `<< /Filter /Standard /V 1 /R 2 /P -4 /O <${'5a'.repeat(32)}> /U <${'a5'.repeat(32)}> >>`;
  if (locked) objects.push(Buffer.from(encryption));
  const parts: Buffer[] = [Buffer.from('%PDF-1.4\n')];
  let position = 9;
  const offsets = objects.map((content, index) => {
    const object = Buffer.concat([Buffer.from(`${index + 1} 0 obj\n`), content, Buffer.from('\nendobj\n')]);
    const offset = position;
    parts.push(object);
    position += object.length;
    return offset;
  });
  const entries = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const encrypt = locked ? ` /Encrypt ${objects.length} 0 R /ID [<00> <00>]` : '';
  const trailer = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R${encrypt} >>\nstartxref\n${position}\n%%EOF\n`;
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${entries}${trailer}`;
  return Uint8Array.from(Buffer.concat([...parts, Buffer.from(table)]));
}

function pageObjects(page: PdfPage, number: number, formResources: string): Buffer[] {
  const { width, height, rotate = 0, picture } = page;
  const resources = picture ? `<< /XObject << /Picture ${number + 2} 0 R >> >>` : `<< ${formResources} >>`;
  const dictionary =
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${width} ${height}] /Rotate ${rotate} ` +
    `/Resources ${resources} /Contents ${number + 1} 0 R >>`;
  return [
    Buffer.from(dictionary),
    stream('', Buffer.from(page.content)),
    picture
      ? stream(
          `/Type /XObject /Subtype /Image /Width ${picture.width} /Height ${picture.height} ` +
            `/ColorSpace /DeviceRGB /BitsPerComponent 8${picture.deflated ? ' /Filter /FlateDecode' : ''}`,
          picture.deflated ? deflateSync(picture.rgb) : Buffer.from(picture.rgb),
        )
      : Buffer.from('null'),
  ];
}

function stream(entries: string, content: Buffer): Buffer {
  const head = Buffer.from(`<< ${entries} /Length ${content.length} >>\nstream\n`);
  return Buffer.concat([head, content, Buffer.from('\nendstream')]);
}
