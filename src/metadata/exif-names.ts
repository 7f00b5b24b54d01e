/**
 * Names of the fields that are kept of the first directory and of the Exif directory. The tags are
 * those of Exif 2.32 (CIPA DC-008-2019, section 4.6) and 3.0 (CIPA DC-008-2023), TIFF 6.0, TIFF/EP
 * (ISO 12234-2) and DNG. The names are ExifTool's (https://exiftool.org/TagNames/EXIF.html), which
 * sometimes differ from the standards' names: ISO is PhotographicSensitivity, CreateDate is
 * DateTimeDigitized.
 */

/**
 * Fields of the first directory that describe the picture; its other fields describe how the pixels
 * are stored. Windows writes 0x9c9b to 0x9c9f; 0xc614 and 0xc62f are from DNG.
 */
const imageFields: ReadonlyMap<number, string> = new Map([
  [0x010d, 'DocumentName'],
  [0x010e, 'ImageDescription'],
  [0x010f, 'Make'],
  [0x0110, 'Model'],
  [0x011d, 'PageName'],
  [0x0131, 'Software'],
  [0x0132, 'ModifyDate'],
  [0x013b, 'Artist'],
  [0x4746, 'Rating'],
  [0x8298, 'Copyright'],
  [0x9c9b, 'XPTitle'],
  [0x9c9c, 'XPComment'],
  [0x9c9d, 'XPAuthor'],
  [0x9c9e, 'XPKeywords'],
  [0x9c9f, 'XPSubject'],
  [0xc614, 'UniqueCameraModel'],
  [0xc62f, 'CameraSerialNumber'],
]);

/**
 * Fields of the Exif directory (Exif 2.32, section 4.6.5). Pointers, blobs and padding are left
 * out. So is MakerNote: its layout is proprietary, and it holds serial numbers.
 */
const exifFields: ReadonlyMap<number, string> = new Map([
  [0x829a, 'ExposureTime'],
  [0x829d, 'FNumber'],
  [0x8822, 'ExposureProgram'],
  [0x8824, 'SpectralSensitivity'],
  [0x8827, 'ISO'],
  [0x8828, 'Opto-ElectricConvFactor'],
  [0x8830, 'SensitivityType'],
  [0x8831, 'StandardOutputSensitivity'],
  [0x8832, 'RecommendedExposureIndex'],
  [0x8833, 'ISOSpeed'],
  [0x8834, 'ISOSpeedLatitudeyyy'],
  [0x8835, 'ISOSpeedLatitudezzz'],
  [0x9000, 'ExifVersion'],
  [0x9003, 'DateTimeOriginal'],
  [0x9004, 'CreateDate'],
  [0x9010, 'OffsetTime'],
  [0x9011, 'OffsetTimeOriginal'],
  [0x9012, 'OffsetTimeDigitized'],
  [0x9101, 'ComponentsConfiguration'],
  [0x9102, 'CompressedBitsPerPixel'],
  [0x9201, 'ShutterSpeedValue'],
  [0x9202, 'ApertureValue'],
  [0x9203, 'BrightnessValue'],
  [0x9204, 'ExposureCompensation'],
  [0x9205, 'MaxApertureValue'],
  [0x9206, 'SubjectDistance'],
  [0x9207, 'MeteringMode'],
  [0x9208, 'LightSource'],
  [0x9209, 'Flash'],
  [0x920a, 'FocalLength'],
  [0x9214, 'SubjectArea'],
  [0x9286, 'UserComment'],
  [0x9290, 'SubSecTime'],
  [0x9291, 'SubSecTimeOriginal'],
  [0x9292, 'SubSecTimeDigitized'],
  [0x9400, 'AmbientTemperature'],
  [0x9401, 'Humidity'],
  [0x9402, 'Pressure'],
  [0x9403, 'WaterDepth'],
  [0x9404, 'Acceleration'],
  [0x9405, 'CameraElevationAngle'],
  [0xa000, 'FlashpixVersion'],
  [0xa001, 'ColorSpace'],
  [0xa002, 'ExifImageWidth'],
  [0xa003, 'ExifImageHeight'],
  [0xa004, 'RelatedSoundFile'],
  [0xa20b, 'FlashEnergy'],
  [0xa20c, 'SpatialFrequencyResponse'],
  [0xa20e, 'FocalPlaneXResolution'],
  [0xa20f, 'FocalPlaneYResolution'],
  [0xa210, 'FocalPlaneResolutionUnit'],
  [0xa214, 'SubjectLocation'],
  [0xa215, 'ExposureIndex'],
  [0xa217, 'SensingMethod'],
  [0xa300, 'FileSource'],
  [0xa301, 'SceneType'],
  [0xa401, 'CustomRendered'],
  [0xa402, 'ExposureMode'],
  [0xa403, 'WhiteBalance'],
  [0xa404, 'DigitalZoomRatio'],
  [0xa405, 'FocalLengthIn35mmFormat'],
  [0xa406, 'SceneCaptureType'],
  [0xa407, 'GainControl'],
  [0xa408, 'Contrast'],
  [0xa409, 'Saturation'],
  [0xa40a, 'Sharpness'],
  [0xa40b, 'DeviceSettingDescription'],
  [0xa40c, 'SubjectDistanceRange'],
  [0xa420, 'ImageUniqueID'],
  [0xa430, 'OwnerName'],
  [0xa431, 'SerialNumber'],
  [0xa432, 'LensInfo'],
  [0xa433, 'LensMake'],
  [0xa434, 'LensModel'],
  [0xa435, 'LensSerialNumber'],
  [0xa460, 'CompositeImage'],
  [0xa461, 'CompositeImageCount'],
  [0xa462, 'CompositeImageExposureTimes'],
  [0xa500, 'Gamma'],
]);

/**
 * Fields of TIFF/EP. Several have two tags, one from TIFF/EP and one from the range that Exif uses.
 */
const tiffEpFields: ReadonlyMap<number, string> = new Map([
  [0x8829, 'Interlace'],
  [0x882a, 'TimeZoneOffset'],
  [0x882b, 'SelfTimerMode'],
  [0x920b, 'FlashEnergy'],
  [0x920c, 'SpatialFrequencyResponse'],
  [0x920d, 'Noise'],
  [0x920e, 'FocalPlaneXResolution'],
  [0x920f, 'FocalPlaneYResolution'],
  [0x9210, 'FocalPlaneResolutionUnit'],
  [0x9211, 'ImageNumber'],
  [0x9212, 'SecurityClassification'],
  [0x9213, 'ImageHistory'],
  [0x9215, 'ExposureIndex'],
  [0x9216, 'TIFF-EPStandardID'],
  [0x9217, 'SensingMethod'],
  [0xa20d, 'Noise'],
  [0xa211, 'ImageNumber'],
  [0xa212, 'SecurityClassification'],
  [0xa213, 'ImageHistory'],
  [0xa216, 'TIFF-EPStandardID'],
]);

/** Fields of TIFF/IT (ISO 12639) and of vendors that some writers put in the Exif directory. */
const otherFields: ReadonlyMap<number, string> = new Map([
  [0x82a5, 'MDFileTag'],
  [0x82a6, 'MDScalePixel'],
  [0x82a7, 'MDColorTable'],
  [0x82a8, 'MDLabName'],
  [0x82a9, 'MDSampleInfo'],
  [0x82aa, 'MDPrepDate'],
  [0x82ab, 'MDPrepTime'],
  [0x82ac, 'MDFileUnits'],
  [0x8335, 'AdventScale'],
  [0x8336, 'AdventRevision'],
  [0x835c, 'UIC1Tag'],
  [0x835d, 'UIC2Tag'],
  [0x835e, 'UIC3Tag'],
  [0x835f, 'UIC4Tag'],
  [0x847e, 'IntergraphPacketData'],
  [0x847f, 'IntergraphFlagRegisters'],
  [0x8481, 'INGRReserved'],
  [0x84e0, 'Site'],
  [0x84e1, 'ColorSequence'],
  [0x84e2, 'IT8Header'],
  [0x84e3, 'RasterPadding'],
  [0x84e4, 'BitsPerRunLength'],
  [0x84e5, 'BitsPerExtendedRunLength'],
  [0x84e6, 'ColorTable'],
  [0x84e7, 'ImageColorIndicator'],
  [0x84e8, 'BackgroundColorIndicator'],
  [0x84e9, 'ImageColorValue'],
  [0x84ea, 'BackgroundColorValue'],
  [0x84eb, 'PixelIntensityRange'],
  [0x84ec, 'TransparencyIndicator'],
  [0x84ed, 'ColorCharacterization'],
  [0x84ee, 'HCUsage'],
  [0x84ef, 'TrapIndicator'],
  [0x84f0, 'CMYKEquivalent'],
  [0x8568, 'AFCP_IPTC'],
  [0x85b8, 'PixelMagicJBIGOptions'],
  [0x85d7, 'JPLCartoIFD'],
  [0x8602, 'WB_GRGBLevels'],
  [0x8606, 'LeafData'],
  [0x877f, 'TIFF_FXExtensions'],
  [0x8780, 'MultiProfiles'],
  [0x8781, 'SharedData'],
  [0x8782, 'T88Options'],
  [0x87ac, 'ImageLayer'],
  [0x87be, 'JBIGOptions'],
  [0x923a, 'CIP3DataFile'],
  [0x923b, 'CIP3Sheet'],
  [0x923c, 'CIP3Side'],
  [0x923f, 'StoNits'],
  [0x932f, 'MSDocumentText'],
  [0x9330, 'MSPropertySetStorage'],
  [0x9331, 'MSDocumentTextPosition'],
  [0x935c, 'ImageSourceData'],
  [0xa010, 'SamsungRawPointersOffset'],
  [0xa011, 'SamsungRawPointersLength'],
  [0xa101, 'SamsungRawByteOrder'],
  [0xa102, 'SamsungRawUnknown'],
  [0xa480, 'GDALMetadata'],
  [0xa481, 'GDALNoData'],
]);

/** The name of a field of the first directory; undefined for fields that are not kept. */
export function imageFieldName(tag: number): string | undefined {
  return imageFields.get(tag);
}

/** The name of a field of the Exif directory; undefined for fields that are not kept. */
export function exifFieldName(tag: number): string | undefined {
  return exifFields.get(tag) ?? tiffEpFields.get(tag) ?? otherFields.get(tag);
}

/** The name of a field that describes the photograph, in whichever directory it stands. */
export function photographFieldName(tag: number): string | undefined {
  return exifFields.get(tag) ?? tiffEpFields.get(tag);
}
