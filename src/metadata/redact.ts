import type { z } from 'zod';
import { describe } from './descriptive.ts';
import { EmbeddedMetadata, type MetadataFields, type Xmp } from './embedded-metadata.ts';
import { filterIptc } from './iptc.ts';
import { isPrivateField, PrivacyPolicy, quotesPrivate, STRICTEST } from './privacy.ts';
import { redactPacket } from './redact-packet.ts';
import { fromBase64, toBase64 } from './text.ts';
import { Warnings } from './warnings.ts';

/** Metadata that may be published: what the policy forbids is gone from its fields and from its XMP packet. */
export const RedactedMetadata = EmbeddedMetadata.extend({ redacted: PrivacyPolicy });
export type RedactedMetadata = z.infer<typeof RedactedMetadata>;

/**
 * Removes positions and serial numbers, as the policy says, from the fields and from the XMP packet. A packet that cannot
 * be parsed soundly is left out, with a warning. IPTC's city, state, country and sublocation are editorial and stay.
 */
export function redact(metadata: EmbeddedMetadata, policy: PrivacyPolicy = STRICTEST): RedactedMetadata {
  const { exif, gps, xmp, iptc, text, icc, resolution, warnings } = metadata;
  const found = new Warnings();
  const published = xmp && redactXmp(xmp, policy, found);
  const kept = {
    exif: redactFields(exif, policy),
    ...(gps && !policy.gps ? { gps } : {}),
    iptc: redactFields(iptc, policy),
    ...(published ? { xmp: published } : {}),
    ...(text ? { text: redactFields(text, policy) } : {}),
    ...(icc ? { icc } : {}),
    ...(resolution ? { resolution } : {}),
    warnings: [...warnings, ...found.list()],
  };
  return {
    ...kept,
    descriptive: describe(kept, redactIptc(metadata.descriptive.iptc, policy)),
    redacted: { ...policy },
  };
}

function redactIptc(iptc: string | undefined, policy: PrivacyPolicy): string | undefined {
  return iptc && toBase64(filterIptc(fromBase64(iptc), (value) => !quotesPrivate(value, policy)));
}

function redactXmp({ packet, fields }: Xmp, policy: PrivacyPolicy, warnings: Warnings): Xmp | undefined {
  const kept = redactFields(fields, policy);
  if (packet === undefined) return { fields: kept };
  try {
    return { packet: redactPacket(packet, policy), fields: kept };
  } catch {
    warnings.add('XMP: the packet is left out, because it cannot be told what is in it');
    return Object.keys(kept).length > 0 ? { fields: kept } : undefined;
  }
}

function redactFields(fields: MetadataFields, policy: PrivacyPolicy): MetadataFields {
  const redacted: MetadataFields = {};
  for (const [name, value] of Object.entries(fields)) {
    const passes = (item: string | number): boolean => typeof item === 'number' || !quotesPrivate(item, policy);
    if (isPrivateField(name.replace(/^.*:/u, ''), policy)) continue;
    if (Array.isArray(value)) redacted[name] = value.filter(passes);
    else if (passes(value)) redacted[name] = value;
  }
  return redacted;
}
