package org.tokentune.formats;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32C;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.protobuf.InvalidProtocolBufferException;
import org.tensorflow.framework.DataType;
import org.tensorflow.framework.TensorShapeProto;
import org.tensorflow.util.BundleEntryProto;
import org.tensorflow.util.BundleHeaderProto;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * The float tensors of a BERT in a TensorFlow checkpoint ({@code tensor_bundle.proto}), as Google
 * published it, under Hugging Face's names. The index, a {@link LevelDbTable}, has a header under
 * the empty key; under every other key it has a tensor's type, shape, location in the data file and
 * checksum.
 *
 * <p>Kernels of linear layers are stored as [in, out] and read transposed, as [out, in].
 */
final class TensorBundle implements WeightSource {

  private static final String INDEX = ".index";
  private static final String DATA = ".data-00000-of-00001";
  private static final String KERNEL = "/kernel";

  private final Path data;
  private final FileChannel channel;
  private final Map<String, Entry> entries;

  /** A checked tensor; {@code transposed} means that the file stores it as [in, out]. */
  private record Entry(long[] shape, long begin, long end, int checksum, boolean transposed) {}

  private TensorBundle(Path data, FileChannel channel, Map<String, Entry> entries) {
    this.data = data;
    this.channel = channel;
    this.entries = Collections.unmodifiableMap(entries);
  }

  /**
   * Opens a checkpoint by its {@code .index} file; the data file is next to it.
   *
   * @throws BadInputException if a file is missing or damaged, or does not hold BERT weights
   */
  static TensorBundle open(Path index) {
    Map<String, byte[]> table =
        WeightFile.open(
            index,
            in -> {
              try (in) {
                if (in.size() > Limits.VOCABULARY_BYTES) {
                  throw bad(index, "has " + in.size() + " bytes");
                }
                return LevelDbTable.read(Files.readAllBytes(index), index.toString());
              }
            });
    requireHeader(index, table.remove(""));
    Path data = Path.of(index.toString().replaceFirst("\\" + INDEX + "$", "") + DATA);
    return WeightFile.open(
        data, channel -> new TensorBundle(data, channel, entries(index, table, channel.size())));
  }

  private static void requireHeader(Path index, byte[] bytes) {
    try {
      BundleHeaderProto header = BundleHeaderProto.parseFrom(bytes == null ? new byte[0] : bytes);
      if (header.getNumShards() != 1
          || header.getEndianness() != BundleHeaderProto.Endianness.LITTLE) {
        throw new BadFileException(
            "%s: a checkpoint with %d data files, or from a big-endian machine, is not supported;"
                + " save it again.",
            index, header.getNumShards());
      }
    } catch (InvalidProtocolBufferException e) {
      throw bad(index, "has no header");
    }
  }

  private static Map<String, Entry> entries(Path index, Map<String, byte[]> table, long size) {
    Map<String, Entry> entries = new LinkedHashMap<>();
    table.forEach(
        (key, bytes) -> {
          String name = name(key);
          if (name != null) {
            entry(index, key, bytes, size, entries);
          }
        });
    if (entries.isEmpty()) {
      throw new BadFileException(
          "%s holds no float weights of a BERT; name one of Google's BERT checkpoints.", index);
    }
    return entries;
  }

  private static void entry(
      Path index, String key, byte[] bytes, long size, Map<String, Entry> entries) {
    BundleEntryProto proto;
    try {
      proto = BundleEntryProto.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw bad(index, "has no valid entry for tensor " + key);
    }
    if (proto.getDtype() != DataType.DT_FLOAT) {
      return; // step counters and similar
    }
    long[] shape =
        proto.getShape().getDimList().stream().mapToLong(TensorShapeProto.Dim::getSize).toArray();
    long needed = Float.BYTES;
    try {
      for (long dimension : shape) {
        needed = dimension < 1 ? -1 : Math.multiplyExact(needed, dimension);
      }
    } catch (ArithmeticException e) {
      needed = -1;
    }
    boolean transposed = key.endsWith(KERNEL) && shape.length == 2;
    if (needed < 0
        || proto.getSize() != needed
        || proto.getOffset() < 0
        || proto.getOffset() > size - needed
        || proto.getShardId() != 0
        || proto.getSlicesCount() > 0) {
      throw bad(index, "claims an impossible shape or location for tensor " + key);
    }
    entries.put(
        name(key),
        new Entry(
            transposed ? new long[] {shape[1], shape[0]} : shape,
            proto.getOffset(),
            proto.getOffset() + needed,
            proto.getCrc32C(),
            transposed));
  }

  /**
   * {@code module/bert/encoder/layer_0/output/dense/kernel} to {@code
   * bert.encoder.layer.0.output.dense.weight}; null for anything that is not a BERT parameter.
   */
  private static String name(String key) {
    String bare = key.replaceFirst("^(.*/)?(bert|cls)/", "$2/");
    if (!bare.matches("(bert|cls)/.*") || bare.matches(".*/adam_[mv]")) {
      return null;
    }
    return bare.replaceFirst("/layer_(\\d+)/", "/layer/$1/")
        .replaceFirst("_embeddings$", "_embeddings/weight")
        .replaceFirst(KERNEL + "$", "/weight")
        .replaceFirst("/gamma$", "/weight")
        .replaceFirst("/beta$", "/bias")
        .replaceFirst("/output_bias$", "/bias")
        .replaceFirst("/output_weights$", "/weight")
        .replace('/', '.');
  }

  @Override
  public Set<String> names() {
    return entries.keySet();
  }

  @Override
  public long[] shape(String name) {
    return WeightFile.tensor(entries, name, data).shape().clone();
  }

  @Override
  public INDArray read(String name) {
    Entry entry = WeightFile.tensor(entries, name, data);
    float[] values = new float[Math.toIntExact((entry.end() - entry.begin()) / Float.BYTES)];
    FloatBuffer all = FloatBuffer.wrap(values);
    CRC32C crc = new CRC32C();
    try {
      new MappedRange(channel, entry.begin(), entry.end(), Float.BYTES)
          .forEachWindow(
              window -> {
                all.put(window.asFloatBuffer());
                crc.update(window);
              });
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", data, e);
    }
    if (LevelDbTable.masked(crc) != entry.checksum()) {
      throw new BadFileException(
          "%s: tensor %s has a wrong checksum; the file is damaged, download it again.",
          data, name);
    }
    if (!entry.transposed()) {
      return Nd4j.create(values, entry.shape(), 'c');
    }
    // Copied: a transposed array is a view.
    return Nd4j.create(values, new long[] {entry.shape()[1], entry.shape()[0]}, 'c')
        .transpose()
        .dup('c');
  }

  @Override
  public String origin() {
    return data.toString();
  }

  @Override
  public void close() {
    WeightFile.close(channel);
  }

  private static BadInputException bad(Path index, String what) {
    return new BadFileException(
        "%s %s: it is damaged or not the index of a TensorFlow checkpoint; download it again.",
        index, what);
  }
}
