/** The program of processes that decode one image at a time. */
import './alone.ts';
