import type { z } from 'zod';
import { latin1 } from '../bytes/views.ts';
import { descriptiveOf } from './descriptive.ts';
import { EmbeddedMetadata, type MetadataFields, type MetadataValue, type Xmp } from './embedded-metadata.ts';
import { redactIptc } from './iptc.ts';
import { isPrivateField, PrivacyPolicy, quotesPrivate, REMOVE_ALL_PRIVATE } from './privacy.ts';
import { PrivateValues, type TextKind } from './private-values.ts';
import { PRIVATE_NAMESPACE, type Privacy, redactPacket } from './redact-packet.ts';
import { fromBase64, toBase64 } from './text.ts';
import { MalformedMetadataError, Warnings } from './warnings.ts';
import { kindOfField } from './xmp-properties.ts';

/**
 * Metadata for publication, after removal of private fields and of private parts of the XMP packet.
 */
export const RedactedMetadata = EmbeddedMetadata.extend({ redacted: PrivacyPolicy });
export type RedactedMetadata = z.infer<typeof RedactedMetadata>;

/** A text about the picture, whose author may name the owner of the camera. */
const EDITORIAL: TextKind = { isProse: true, isEditorial: true };
/** A text that a camera or a program writes. */
const TECHNICAL: TextKind = { isProse: true, isEditorial: false };

/** Exif fields that people fill in. */
const editorialFields =
  /^(?:Artist|Copyright|ImageDescription|DocumentName|PageName|XP(?:Title|Comment|Author|Keywords|Subject))$/u;

/**
 * Removes positions and serial numbers according to the policy: the fields and properties by name,
 * and their values wherever else they stand. A packet that cannot be parsed is left out with a
 * warning. City, state, country and sublocation in IPTC are editorial and are kept.
 */
export function redact(metadata: EmbeddedMetadata, policy: PrivacyPolicy = REMOVE_ALL_PRIVATE): RedactedMetadata {
  const { exif, gps, xmp, iptc, text, icc, resolution, warnings } = metadata;
  const added = new Warnings();
  const privacy = { policy, values: new PrivateValues(metadata, policy) };
  const published = xmp && redactXmp(xmp, privacy, added);
  const record = redactRecord(metadata.descriptive.iptc, privacy, added);
  const kept = {
    exif: redactFields(exif, privacy, (name) => (editorialFields.test(name) ? EDITORIAL : TECHNICAL)),
    ...(gps && !policy.gps ? { gps } : {}),
    iptc: redactFields(iptc, privacy, () => EDITORIAL),
    ...(published ? { xmp: published } : {}),
    ...(text ? { text: redactFields(text, privacy, () => EDITORIAL) } : {}),
    ...(icc ? { icc } : {}),
    ...(resolution ? { resolution } : {}),
    warnings: [...warnings, ...added.list()],
  };
  return {
    ...kept,
    descriptive: descriptiveOf(kept, record),
    redacted: { ...policy },
  };
}

function redactRecord(iptc: string | undefined, { policy, values }: Privacy, warnings: Warnings): string | undefined {
  if (iptc === undefined) return undefined;
  const record = redactIptc(
    fromBase64(iptc),
    (value) => !quotesPrivate(value, policy),
    (value) => values.redactText(value, EDITORIAL),
  );
  // Wrong lengths may split a value between two datasets.
  const text = latin1(record);
  if (values.redactText(text, EDITORIAL) === text) return toBase64(record);
  warnings.add('IPTC: the record is left out because private metadata remains in it');
  return undefined;
}

function redactXmp({ packet, fields }: Xmp, privacy: Privacy, warnings: Warnings): Xmp | undefined {
  const kept = redactFields(fields, privacy, kindOfField);
  delete kept['tiff:Orientation'];
  if (packet === undefined) return { fields: kept };
  try {
    return { packet: redactPacket(packet, privacy), fields: kept };
  } catch (error) {
    const isPrivate = error instanceof MalformedMetadataError && error.message === PRIVATE_NAMESPACE;
    warnings.add(`XMP: the packet is left out because ${isPrivate ? PRIVATE_NAMESPACE : 'it cannot be parsed'}`);
    return Object.keys(kept).length > 0 ? { fields: kept } : undefined;
  }
}

function redactFields(fields: MetadataFields, privacy: Privacy, kindOf: (name: string) => TextKind): MetadataFields {
  const redacted: MetadataFields = {};
  for (const [name, value] of Object.entries(fields)) {
    if (isPrivateField(name.replace(/^.*:/u, ''), privacy.policy)) continue;
    const kept = redactValue(value, privacy, kindOf(name));
    if (kept !== undefined) redacted[name] = kept;
  }
  return redacted;
}

function redactValue(value: MetadataValue, privacy: Privacy, kind: TextKind): MetadataValue | undefined {
  if (!Array.isArray(value)) return redactItem(value, privacy, kind);
  const items = value.flatMap((item) => redactItem(item, privacy, kind) ?? []);
  return items.length > 0 ? items : undefined;
}

function redactItem(item: string | number, { policy, values }: Privacy, kind: TextKind): string | number | undefined {
  if (typeof item === 'number') return values.isPrivateNumber(item) ? undefined : item;
  return quotesPrivate(item, policy) ? undefined : values.redactText(item, kind);
}
