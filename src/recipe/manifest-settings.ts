/** The section `manifest` of a recipe: what IIIF manifests say about all of its images. */
import { z } from 'zod';

/**
 * Rights are stated with `http`, as both vocabularies identify themselves (Presentation API 3.0,
 * rights).
 */
const rights = z
  .string()
  .regex(
    /^https?:\/\/(creativecommons\.org\/(licenses|publicdomain)|rightsstatements\.org\/(vocab|page))\/[\w./-]+$/u,
    'Expected the URL of a Creative Commons licence or of a statement of RightsStatements.org',
  )
  .transform((url) =>
    url.replace(/^https:/u, 'http:').replace('rightsstatements.org/page/', 'rightsstatements.org/vocab/'),
  );

const text = (title: string, description: string): z.ZodString =>
  z.string().trim().min(1).max(1_000).meta({ title, description });

export const ManifestSettings = z
  .strictObject({
    rights: rights.optional().meta({
      title: 'Rights',
      description: 'URL of a licence of Creative Commons or of a statement of RightsStatements.org.',
    }),
    requiredStatement: z
      .strictObject({
        label: text('Label', 'What the text is, such as Attribution.'),
        value: text('Value', 'The text.'),
      })
      .optional()
      .meta({
        title: 'Required statement',
        description: 'A text that viewers must show, such as an attribution, and its label.',
      }),
    viewingDirection: z
      .enum(['left-to-right', 'right-to-left', 'top-to-bottom', 'bottom-to-top'])
      .optional()
      .meta({ title: 'Viewing direction', description: 'In which the images of a folder are shown.' }),
    behavior: z
      .enum(['individuals', 'paged', 'continuous', 'unordered'])
      .optional()
      .meta({
        title: 'Behaviour',
        description:
          'How the images of a folder are shown: individuals, one by one; paged, as the pages of a book; continuous, ' +
          'side by side; unordered.',
      }),
    language: z
      .string()
      .regex(/^(none|[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*)$/u, 'Expected a language such as en or pt-BR, or none')
      .default('none')
      .meta({
        title: 'Language',
        description: 'Of titles, descriptions and metadata: en, pt-BR, or none if it is not known.',
      }),
    folders: z.boolean().default(true).meta({
      title: 'Folders',
      description: 'Whether each folder of images has a manifest and a collection of its own.',
    }),
  })
  .meta({ title: 'Manifests', description: 'IIIF manifests of the images and of their folders.' });
export type ManifestSettings = z.infer<typeof ManifestSettings>;
