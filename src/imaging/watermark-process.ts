/** The program of processes that draw watermarks. */
import './watermark.ts';
