import type { Publication } from '../ledger/ledger.ts';
import type { Log } from '../log.ts';

export interface PublishedImage extends Publication {
  readonly imageId: string;
  readonly sequence: string;
  /** `page`: the number of a page of a document, from 1. */
  readonly source: { readonly bucket: string; readonly key: string; readonly page?: number };
}

/** Receives a notification of every published image, at least once. */
export interface Notifier {
  published(image: PublishedImage): Promise<void>;
}

/** Writes the notifications to the log. */
export function logNotifier(log: Log): Notifier {
  return {
    published(image) {
      log.info('pyramid.published', { ...image });
      return Promise.resolve();
    },
  };
}
