/** sharp as this project uses it; the rest of the folder imports it from here. */
import sharp from 'sharp';

// libvips would load SVG, PDF and more by content, whatever a file is called. Only these loaders may run.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Tiff'].flatMap((format) => [
    `VipsForeignLoad${format}File`,
    `VipsForeignLoad${format}Buffer`,
  ]),
});

// Every block is decoded once: a cache of operations would only hold memory.
sharp.cache(false);

// Several rasters are encoded at once, so that one thread for each pass keeps all cores busy; a second one would only take
// buffers of its own.
sharp.concurrency(1);

export { sharp };
