import type { z } from 'zod';
import { descriptiveOf } from './descriptive.ts';
import { EmbeddedMetadata, type MetadataFields, type Xmp } from './embedded-metadata.ts';
import { filterIptc } from './iptc.ts';
import { isPrivateField, PrivacyPolicy, quotesPrivate, REMOVE_ALL_PRIVATE } from './privacy.ts';
import { redactPacket } from './redact-packet.ts';
import { fromBase64, toBase64 } from './text.ts';
import { Warnings } from './warnings.ts';

/**
 * Metadata for publication, after removal of private fields and of private parts of the XMP packet.
 */
export const RedactedMetadata = EmbeddedMetadata.extend({ redacted: PrivacyPolicy });
export type RedactedMetadata = z.infer<typeof RedactedMetadata>;

/**
 * Removes positions and serial numbers according to the policy from the fields and the XMP packet.
 * A packet that cannot be parsed is left out with a warning. City, state, country and sublocation
 * in IPTC are editorial and are kept.
 */
export function redact(metadata: EmbeddedMetadata, policy: PrivacyPolicy = REMOVE_ALL_PRIVATE): RedactedMetadata {
  const { exif, gps, xmp, iptc, text, icc, resolution, warnings } = metadata;
  const added = new Warnings();
  const published = xmp && redactXmp(xmp, policy, added);
  const kept = {
    exif: redactFields(exif, policy),
    ...(gps && !policy.gps ? { gps } : {}),
    iptc: redactFields(iptc, policy),
    ...(published ? { xmp: published } : {}),
    ...(text ? { text: redactFields(text, policy) } : {}),
    ...(icc ? { icc } : {}),
    ...(resolution ? { resolution } : {}),
    warnings: [...warnings, ...added.list()],
  };
  return {
    ...kept,
    descriptive: descriptiveOf(kept, redactIptc(metadata.descriptive.iptc, policy)),
    redacted: { ...policy },
  };
}

function redactIptc(iptc: string | undefined, policy: PrivacyPolicy): string | undefined {
  return iptc && toBase64(filterIptc(fromBase64(iptc), (value) => !quotesPrivate(value, policy)));
}

function redactXmp({ packet, fields }: Xmp, policy: PrivacyPolicy, warnings: Warnings): Xmp | undefined {
  const kept = redactFields(fields, policy);
  delete kept['tiff:Orientation'];
  if (packet === undefined) return { fields: kept };
  try {
    return { packet: redactPacket(packet, policy), fields: kept };
  } catch {
    warnings.add('XMP: the packet is left out because it cannot be parsed');
    return Object.keys(kept).length > 0 ? { fields: kept } : undefined;
  }
}

function redactFields(fields: MetadataFields, policy: PrivacyPolicy): MetadataFields {
  const redacted: MetadataFields = {};
  for (const [name, value] of Object.entries(fields)) {
    const isKept = (item: string | number): boolean => typeof item === 'number' || !quotesPrivate(item, policy);
    if (isPrivateField(name.replace(/^.*:/u, ''), policy)) continue;
    if (Array.isArray(value)) redacted[name] = value.filter(isKept);
    else if (isKept(value)) redacted[name] = value;
  }
  return redacted;
}
