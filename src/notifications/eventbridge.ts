import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { ServiceUnavailableError } from '../errors.ts';
import type { Publication } from '../ledger/ledger.ts';
import type { Log } from '../log.ts';

export interface PublishedImage extends Publication {
  readonly imageId: string;
  readonly sequence: string;
  readonly source: { readonly bucket: string; readonly key: string };
}

/** Told of every published image, at least once. */
export interface Notifier {
  published(image: PublishedImage): Promise<void>;
}

/** Puts an event `Pyramid Published` from source `stepwell` on a bus, where anyone may make a rule for it. */
export function eventBridgeNotifier(client: EventBridgeClient, eventBusName: string): Notifier {
  return {
    async published(image) {
      const answer = await client.send(
        new PutEventsCommand({
          Entries: [
            {
              EventBusName: eventBusName,
              Source: 'stepwell',
              DetailType: 'Pyramid Published',
              Detail: JSON.stringify(image),
            },
          ],
        }),
      );
      const refused = answer.Entries?.find((entry) => entry.ErrorCode !== undefined);
      if (refused) throw new ServiceUnavailableError(`EventBridge refused the notification: ${refused.ErrorMessage}`);
    },
  };
}

export function logNotifier(log: Log): Notifier {
  return {
    published(image) {
      log.info('pyramid.published', { ...image });
      return Promise.resolve();
    },
  };
}
