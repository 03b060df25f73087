/**
 * Files that survive a crash: model folders, and the training checkpoints in a run's {@link
 * org.tokentune.files.RunFolder}. Everything is written atomically, under another name first
 * ({@link org.tokentune.files.Staging}).
 *
 * <p>Imports {@code formats}, for the content of weight files.
 */
package org.tokentune.files;
