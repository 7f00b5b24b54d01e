/** The program of decoding processes. */
import './decoding.ts';
