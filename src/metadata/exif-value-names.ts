/**
 * Words for the values of enumerated Exif fields (Exif 2.32, section 4.6.5). The words are
 * ExifTool's (https://exiftool.org/TagNames/EXIF.html); CustomRendered includes the values that
 * Apple added.
 */

const resolutionUnits = {
  1: 'No absolute unit of measurement',
  2: 'Inch',
  3: 'Centimeter',
};

const strengths = {
  0: 'Normal',
  1: 'Low',
  2: 'High',
};

const valueNames: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  // ExposureProgram
  0x8822: {
    0: 'Not defined',
    1: 'Manual',
    2: 'Normal program',
    3: 'Aperture priority',
    4: 'Shutter priority',
    5: 'Creative program',
    6: 'Action program',
    7: 'Portrait mode',
    8: 'Landscape mode',
  },
  // ComponentsConfiguration
  0x9101: {
    0: '-',
    1: 'Y',
    2: 'Cb',
    3: 'Cr',
    4: 'R',
    5: 'G',
    6: 'B',
  },
  // MeteringMode
  0x9207: {
    0: 'Unknown',
    1: 'Average',
    2: 'CenterWeightedAverage',
    3: 'Spot',
    4: 'MultiSpot',
    5: 'Pattern',
    6: 'Partial',
    255: 'Other',
  },
  // LightSource
  0x9208: {
    0: 'Unknown',
    1: 'Daylight',
    2: 'Fluorescent',
    3: 'Tungsten (incandescent light)',
    4: 'Flash',
    9: 'Fine weather',
    10: 'Cloudy weather',
    11: 'Shade',
    12: 'Daylight fluorescent (D 5700 - 7100K)',
    13: 'Day white fluorescent (N 4600 - 5400K)',
    14: 'Cool white fluorescent (W 3900 - 4500K)',
    15: 'White fluorescent (WW 3200 - 3700K)',
    17: 'Standard light A',
    18: 'Standard light B',
    19: 'Standard light C',
    20: 'D55',
    21: 'D65',
    22: 'D75',
    23: 'D50',
    24: 'ISO studio tungsten',
    255: 'Other',
  },
  // Flash
  0x9209: {
    0: 'Flash did not fire',
    1: 'Flash fired',
    5: 'Strobe return light not detected',
    7: 'Strobe return light detected',
    9: 'Flash fired, compulsory flash mode',
    13: 'Flash fired, compulsory flash mode, return light not detected',
    15: 'Flash fired, compulsory flash mode, return light detected',
    16: 'Flash did not fire, compulsory flash mode',
    24: 'Flash did not fire, auto mode',
    25: 'Flash fired, auto mode',
    29: 'Flash fired, auto mode, return light not detected',
    31: 'Flash fired, auto mode, return light detected',
    32: 'No flash function',
    65: 'Flash fired, red-eye reduction mode',
    69: 'Flash fired, red-eye reduction mode, return light not detected',
    71: 'Flash fired, red-eye reduction mode, return light detected',
    73: 'Flash fired, compulsory flash mode, red-eye reduction mode',
    77: 'Flash fired, compulsory flash mode, red-eye reduction mode, return light not detected',
    79: 'Flash fired, compulsory flash mode, red-eye reduction mode, return light detected',
    89: 'Flash fired, auto mode, red-eye reduction mode',
    93: 'Flash fired, auto mode, return light not detected, red-eye reduction mode',
    95: 'Flash fired, auto mode, return light detected, red-eye reduction mode',
  },
  // FocalPlaneResolutionUnit
  0x9210: resolutionUnits,
  // FocalPlaneResolutionUnit
  0xa210: resolutionUnits,
  // SensingMethod
  0xa217: {
    1: 'Not defined',
    2: 'One-chip color area sensor',
    3: 'Two-chip color area sensor',
    4: 'Three-chip color area sensor',
    5: 'Color sequential area sensor',
    7: 'Trilinear sensor',
    8: 'Color sequential linear sensor',
  },
  // FileSource
  0xa300: {
    1: 'Film Scanner',
    2: 'Reflection Print Scanner',
    3: 'Digital Camera',
  },
  // SceneType
  0xa301: {
    1: 'Directly photographed',
  },
  // CustomRendered
  0xa401: {
    0: 'Normal',
    1: 'Custom',
    2: 'HDR (no original saved)',
    3: 'HDR (original saved)',
    4: 'Original (for HDR)',
    6: 'Panorama',
    7: 'Portrait HDR',
    8: 'Portrait',
  },
  // ExposureMode
  0xa402: {
    0: 'Auto',
    1: 'Manual',
    2: 'Auto bracket',
  },
  // WhiteBalance
  0xa403: {
    0: 'Auto',
    1: 'Manual',
  },
  // SceneCaptureType
  0xa406: {
    0: 'Standard',
    1: 'Landscape',
    2: 'Portrait',
    3: 'Night',
    4: 'Other',
  },
  // GainControl
  0xa407: {
    0: 'None',
    1: 'Low gain up',
    2: 'High gain up',
    3: 'Low gain down',
    4: 'High gain down',
  },
  // Contrast
  0xa408: strengths,
  // Saturation
  0xa409: strengths,
  // Sharpness
  0xa40a: strengths,
  // SubjectDistanceRange
  0xa40c: {
    0: 'Unknown',
    1: 'Macro',
    2: 'Close',
    3: 'Distant',
  },
  // CompositeImage
  0xa460: {
    0: 'Unknown',
    1: 'Not a Composite Image',
    2: 'General Composite Image',
    3: 'Composite Image Captured While Shooting',
  },
};

/** The word for a value of an enumerated field, such as `Manual` or `Daylight`. */
export function exifValueName(tag: number, value: number): string | undefined {
  return valueNames[tag]?.[value];
}
