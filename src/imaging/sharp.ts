/** sharp with the settings of this project. Modules in this folder import sharp from here. */
import sharp from 'sharp';

// libvips selects a loader by content, whatever the name of the file, and has loaders for SVG and
// PDF among others. Only these loaders are allowed.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Tiff'].flatMap((format) => [
    `VipsForeignLoad${format}File`,
    `VipsForeignLoad${format}Buffer`,
  ]),
});

// Every block is decoded once, so that a cache of operations would only occupy memory.
sharp.cache(false);

// Several rasters are encoded concurrently, so one thread per pipeline keeps all cores busy; a
// second thread would only allocate more buffers.
sharp.concurrency(1);

export { sharp };
