import { RejectedImageError } from '../errors.ts';
import { MAX_KEY_BYTES } from '../limits.ts';
import { uprightSize } from '../pyramid/source-image.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { isStorableKey, publishedKey } from './published-key.ts';
import { aboutSource, ValidatedState } from './state.ts';

/** The header's facts to the ledger, and the public key reserved: two masters must not overwrite each other's pyramid. */
export function makeRecordMetadata({ ledger, config }: Pick<Ports, 'ledger' | 'config'>) {
  return async ({ source, recipe, image }: ValidatedState, { log }: Call): Promise<void> => {
    const { format, bands, bitDepth, fileSize } = image;
    await ledger.recordMetadata(source, { format, ...uprightSize(image), bands, bitDepth, fileSize });
    const target = publishedKey(source.key);
    if (!isStorableKey(target)) {
      throw new RejectedImageError('KEY_TOO_LONG', `its public key would be longer than ${MAX_KEY_BYTES} bytes`);
    }
    const owner = await ledger.reserveTarget(config.publishedBucket, target, { ...source, recipe });
    if (owner) {
      throw new RejectedImageError(
        'TARGET_TAKEN',
        `${target} is the pyramid of ${owner.key}; give one of them another name`,
      );
    }
    log.info('metadata.recorded', { target });
  };
}

export const handler = lambdaHandler(ValidatedState, makeRecordMetadata, aboutSource);
