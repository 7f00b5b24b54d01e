/**
 * Decides which metadata is private, by the names of Exif fields and of XMP properties in any
 * namespace.
 */
import { z } from 'zod';
import type { XmlName } from './xml.ts';

export const PrivacyPolicy = z.strictObject({
  /** Remove the position of the camera: coordinates, altitudes, bearings, GPS times. */
  gps: z.boolean(),
  /**
   * Remove identifiers of equipment: serial numbers of bodies and lenses, the owner's name set in
   * the camera.
   */
  serialNumbers: z.boolean(),
});
export type PrivacyPolicy = z.infer<typeof PrivacyPolicy>;

/** The policy that removes everything private. */
export const REMOVE_ALL_PRIVATE: PrivacyPolicy = { gps: true, serialNumbers: true };

/** GPS fields and equivalents of drones and telephones, except the ISO speed latitude of film. */
const positions =
  /^gps|(?<!isospeed)latitude|longt?itude|altitude|coordinate|geotag|geohash|georss|easting|northing|^(?:lat|long?|lng|utm|mgrs)$/iu;
const serialNumbers = /serial|^(?:imei|udid)$|^(?:drone|uav|aircraft|flight)_?(?:uu)?id$/iu;
const owners = /^(?:camera)?ownername$/iu;
/** Positions without their other fields, such as dates, whose values stand elsewhere too. */
const coordinates =
  /latitude|longt?itude|altitude|coordinate|geotag|geohash|georss|position|easting|northing|^l(?:at|ong?|ng)$/iu;
/** Blobs that may contain coordinates and serial numbers: maker notes and embedded files. */
const blobs = /^makernotes?$|^dngprivatedata$|^rawdatauniqueid$|^thumbnails$/iu;

const positionNamespaces: ReadonlySet<string> = new Set([
  'http://www.w3.org/2003/01/geo/wgs84_pos#',
  'http://www.georss.org/georss',
  'http://www.georss.org/georss/',
]);

/** Images and audio embedded in XMP: Google's depth maps and panoramas, Adobe's thumbnails. */
const blobNamespaces: ReadonlySet<string> = new Set([
  'http://ns.google.com/photos/1.0/image/',
  'http://ns.google.com/photos/1.0/depthmap/',
  'http://ns.google.com/photos/1.0/audio/',
  'http://ns.adobe.com/xap/1.0/g/img/',
]);

/**
 * Private metadata quoted within a value: serialised packets, ExifTool tag names, geo URIs (RFC
 * 5870), geotag keywords. The words "serial number" in a caption are editorial and are kept.
 */
const quotedPositions = /gps(?:dest)?(?:latitude|longitude|altitude|position)|\bgeo:(?:-?\d|lat|lon)/iu;
const quotedEquipment = /SerialNumber/u;

/** True if the policy removes an Exif field of this name. */
export function isPrivateField(name: string, policy: PrivacyPolicy): boolean {
  if (blobs.test(name) || (policy.gps && positions.test(name))) return true;
  return policy.serialNumbers && (isSerialNumberName(name) || isOwnerName(name));
}

/** True if a field or property of this name identifies a piece of equipment. */
export function isSerialNumberName(name: string): boolean {
  return serialNumbers.test(name);
}

/** True if a field or property of this name holds the owner's name that is set in a camera. */
export function isOwnerName(name: string): boolean {
  return owners.test(name);
}

/** True if a private field or property of this name holds coordinates or an altitude. */
export function isPositionName(name: string): boolean {
  return positions.test(name) && coordinates.test(name);
}

/** True if the policy removes an XMP property of this name. */
export function isPrivateProperty({ namespace, local }: XmlName, policy: PrivacyPolicy): boolean {
  if (blobNamespaces.has(namespace) || isPrivateField(local, policy)) return true;
  return policy.gps && positionNamespaces.has(namespace);
}

/** True if a value quotes metadata that the policy removes. */
export function quotesPrivate(value: string, policy: PrivacyPolicy): boolean {
  return (policy.gps && quotedPositions.test(value)) || (policy.serialNumbers && quotedEquipment.test(value));
}
