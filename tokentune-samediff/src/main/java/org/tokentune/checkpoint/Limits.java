package org.tokentune.checkpoint;

/**
 * How large what untrusted files claim may be: far above any model's, and small enough that reading
 * stays within a small multiple of the file's size. docs/files.md names them.
 */
public final class Limits {

  /** Layers of a model. */
  public static final int LAYERS = 10_000;

  /** Words, positions, and every other size in a configuration: what fits a float exactly. */
  public static final int SIZE = 1 << 24;

  /** Bytes of a {@code config.json}, an {@code adapter_config.json} and their like. */
  public static final long CONFIG_BYTES = 1_000_000;

  /** Bytes of a safetensors header, and of an index of shards. */
  public static final long HEADER_BYTES = 20_000_000;

  /** Bytes of everything in front of a GGUF's tensors, most of it the vocabulary. */
  public static final long GGUF_HEADER_BYTES = 1 << 26;

  /** Bytes of a TensorFlow checkpoint's index, and of a vocabulary. */
  public static final long VOCABULARY_BYTES = 1 << 26;

  /** Bytes of a key or a tensor's name. */
  public static final int NAME_BYTES = 1000;

  private Limits() {}
}
