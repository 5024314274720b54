import { problem } from '../answers.ts';

export const NO_WORKSPACE = problem(404, 'No workspace has this id');
