/** What the threads run that hash what peers give: beside the code that starts them. */
export { run } from '@cairn/commitments/hash-worker';
