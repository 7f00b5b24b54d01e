/** info.json: IIIF Image API 3.0 and 2.1.1, section 5. Pure. */
import { derivativeFormats, derivativeQualities, type DerivativeFormat } from '../../imaging/derivative.ts';
import type { Size } from '../../pyramid/levels.ts';
import { listedSizes, type SizeLimits } from './resolve.ts';
import type { ApiVersion } from './syntax.ts';

export interface DescribedService {
  /** URI of the image, without `/info.json`. */
  readonly id: string;
  /** Full size first. */
  readonly levels: readonly Size[];
  readonly tileSize: number;
  readonly limits: SizeLimits;
  readonly rights: string | undefined;
  /** The format in which whole tiles are answered without decoding. */
  readonly preferredFormat: DerivativeFormat;
}

export const contexts: Readonly<Record<ApiVersion, string>> = {
  2: 'http://iiif.io/api/image/2/context.json',
  3: 'http://iiif.io/api/image/3/context.json',
};

/** Address of the profile that the server complies with. */
export const profiles: Readonly<Record<ApiVersion, string>> = {
  2: 'http://iiif.io/api/image/2/level2.json',
  3: 'http://iiif.io/api/image/3/level2.json',
};

const protocol = 'http://iiif.io/api/image';

/** Formats that level 2 requires. */
const requiredFormats: readonly string[] = ['jpg', 'png'];

const features = ['canonicalLinkHeader', 'mirroring', 'profileLinkHeader', 'rotationArbitrary'] as const;
const features3 = [...features, 'sizeUpscaling'] as const;
const features2 = [
  ...features,
  ...['regionSquare', 'sizeAboveFull', 'sizeByConfinedWh', 'sizeByDistortedWh', 'sizeByForcedWh', 'sizeByWhListed'],
] as const;

/** The content of info.json, in the order in which the API lists its properties. */
export function imageInformation(version: ApiVersion, service: DescribedService): Record<string, unknown> {
  return version === 3 ? information3(service) : information2(service);
}

function information3(service: DescribedService): Record<string, unknown> {
  const { id, limits, rights, preferredFormat } = service;
  return {
    '@context': contexts[3],
    id,
    type: 'ImageService3',
    protocol,
    profile: 'level2',
    ...sizesOf(service),
    maxWidth: limits.maxWidth,
    maxHeight: limits.maxHeight,
    maxArea: limits.maxArea,
    preferredFormats: [preferredFormat],
    ...(rights === undefined ? {} : { rights }),
    extraQualities: derivativeQualities,
    extraFormats: derivativeFormats.filter((format) => !requiredFormats.includes(format)),
    extraFeatures: features3,
  };
}

function information2(service: DescribedService): Record<string, unknown> {
  const { id, limits, rights } = service;
  return {
    '@context': contexts[2],
    '@id': id,
    protocol,
    ...sizesOf(service),
    profile: [
      profiles[2],
      {
        formats: derivativeFormats,
        qualities: ['default', ...derivativeQualities],
        supports: features2,
        maxWidth: limits.maxWidth,
        maxHeight: limits.maxHeight,
        maxArea: limits.maxArea,
      },
    ],
    ...(rights === undefined ? {} : { license: rights }),
  };
}

function sizesOf({ levels, limits, tileSize }: DescribedService): Record<string, unknown> {
  const [full] = levels;
  const scaleFactors = levels.map((_, index) => 2 ** index);
  return {
    width: full?.width,
    height: full?.height,
    sizes: listedSizes(levels, limits),
    tiles: [{ width: tileSize, height: tileSize, scaleFactors }],
  };
}
