package org.tokentune.formats;

/**
 * Upper bounds on sizes that untrusted files claim: far above those of any model, yet small enough
 * that reading takes only a small multiple of the file's size in memory. docs/files.md lists them.
 */
public final class Limits {

  /** Layers in a model. */
  public static final int LAYERS = 10_000;

  /**
   * Vocabulary size, positions and every other size in a configuration: integers up to here are
   * exact as floats.
   */
  public static final int SIZE = 1 << 24;

  /** Bytes of a {@code config.json}, an {@code adapter_config.json} and similar files. */
  public static final long CONFIG_BYTES = 1_000_000;

  /** Bytes of a safetensors header, and of an index of shards. */
  public static final long HEADER_BYTES = 20_000_000;

  /** Bytes before the tensors of a GGUF file, mostly the vocabulary. */
  public static final long GGUF_HEADER_BYTES = 1 << 26;

  /** Bytes of a TensorFlow checkpoint's index, and of a vocabulary. */
  public static final long VOCABULARY_BYTES = 1 << 26;

  /** Bytes of a key or a tensor name. */
  public static final int NAME_BYTES = 1000;

  private Limits() {}
}
