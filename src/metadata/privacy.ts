/** What counts as private, by name: of Exif fields, and of XMP properties whatever their namespace. */
import { z } from 'zod';
import type { XmlName } from './xml.ts';

export const PrivacyPolicy = z.strictObject({
  /** Remove where the camera was: coordinates, altitudes, bearings, GPS times. */
  gps: z.boolean(),
  /** Remove what identifies the equipment: serial numbers of bodies and lenses, and the owner's name in the camera. */
  serialNumbers: z.boolean(),
});
export type PrivacyPolicy = z.infer<typeof PrivacyPolicy>;

export const STRICTEST: PrivacyPolicy = { gps: true, serialNumbers: true };

/** GPS fields, and what drones and telephones write beside them; a film's ISO speed latitude is none of it. */
const positions = /^gps|(?<!isospeed)latitude|longt?itude|altitude|coordinate|geotag|geohash|georss/iu;
const equipment = /serial|^(?:camera)?ownername$|^(?:imei|udid)$/iu;
/** Blobs that may hold anything, coordinates and serial numbers included: makers' notes and whole embedded files. */
const blobs = /^makernotes?$|^dngprivatedata$|^rawdatauniqueid$|^thumbnails$/iu;

const positionNamespaces: ReadonlySet<string> = new Set([
  'http://www.w3.org/2003/01/geo/wgs84_pos#',
  'http://www.georss.org/georss',
  'http://www.georss.org/georss/',
]);

/** Pictures and sounds inside XMP: Google's depth maps and panoramas, Adobe's thumbnails. */
const blobNamespaces: ReadonlySet<string> = new Set([
  'http://ns.google.com/photos/1.0/image/',
  'http://ns.google.com/photos/1.0/depthmap/',
  'http://ns.google.com/photos/1.0/audio/',
  'http://ns.adobe.com/xap/1.0/g/img/',
]);

/**
 * Metadata quoted within a value: serialised packets, ExifTool's tag names, geo URIs (RFC 5870), the keywords that maps
 * are made of. "Serial number" in plain words is what a caption says of a machine, and stays.
 */
const quotedPositions = /gps(?:dest)?(?:latitude|longitude|altitude|position)|\bgeo:(?:-?\d|lat|lon)/iu;
const quotedEquipment = /SerialNumber/u;

export function isPrivateField(name: string, policy: PrivacyPolicy): boolean {
  return blobs.test(name) || (policy.gps && positions.test(name)) || (policy.serialNumbers && equipment.test(name));
}

export function isPrivateProperty({ namespace, local }: XmlName, policy: PrivacyPolicy): boolean {
  if (blobNamespaces.has(namespace) || isPrivateField(local, policy)) return true;
  return policy.gps && positionNamespaces.has(namespace);
}

export function quotesPrivate(value: string, policy: PrivacyPolicy): boolean {
  return (policy.gps && quotedPositions.test(value)) || (policy.serialNumbers && quotedEquipment.test(value));
}
