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

export { sharp };
