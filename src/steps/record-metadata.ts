import { RejectedImageError } from '../errors.ts';
import { MAX_KEY_BYTES } from '../limits.ts';
import { shortMetadata } from '../metadata/short.ts';
import { uprightSize } from '../pyramid/source-image.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { reservePublicName } from '../work/public-name.ts';
import { isStorableKey, publishedKey, sidecarKey } from '../work/published-key.ts';
import { sourceLogFields, ValidatedState } from '../work/execution-state.ts';
import { readHeader } from '../work/header.ts';
import { workArea } from '../work/work-area.ts';

/**
 * Writes size, format and a summary of the embedded metadata to the ledger, and reserves the public
 * key, so that no other master can overwrite the pyramid.
 */
export function makeRecordMetadata({ store, ledger, config }: Pick<Ports, 'store' | 'ledger' | 'config'>) {
  return async ({ source, recipe, image }: ValidatedState, { log }: Call): Promise<void> => {
    const { bands, bitDepth, converted } = image;
    const { metadata } = await readHeader(store, workArea(config.workBucket, source));
    await ledger.recordMetadata(source, {
      format: converted?.from ?? image.format,
      ...uprightSize(image),
      bands,
      bitDepth,
      fileSize: source.size,
      about: { ...shortMetadata(metadata) },
    });
    const target = publishedKey(source);
    if (!isStorableKey(sidecarKey(target))) {
      throw new RejectedImageError(
        'KEY_TOO_LONG',
        `the key of its sidecar would be longer than ${MAX_KEY_BYTES} bytes`,
      );
    }
    const name = { bucket: config.publishedBucket, key: target };
    if (name.bucket === source.bucket && name.key === source.key) {
      throw new RejectedImageError(
        'TARGET_TAKEN',
        `the pyramid would replace its master ${target}; publish into another folder`,
      );
    }
    const owner = await reservePublicName({ store, ledger }, name, { ...source, recipe });
    if (owner) {
      throw new RejectedImageError(
        'TARGET_TAKEN',
        `${target} is the pyramid of ${owner.key}; give one of them another name`,
      );
    }
    log.info('metadata.recorded', { target });
  };
}

export const handler = lambdaHandler(ValidatedState, makeRecordMetadata, sourceLogFields);
