/**
 * Pretrained models by name ({@link org.tokentune.zoo.Zoo}), a {@link
 * org.tokentune.zoo.ModelSource} for each kind of place they come from: ONNX files and TensorFlow
 * checkpoints in Maven artifacts, Hugging Face's hub, web servers. Downloads go through {@code
 * HttpFiles}; {@code LocalFiles} makes whole what is written.
 *
 * <p>Imports the core; the command line imports it.
 */
package org.tokentune.zoo;
