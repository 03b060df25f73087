package org.tokentune.formats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tensorflow.framework.DataType;
import org.tensorflow.framework.TensorShapeProto;
import org.tensorflow.util.BundleEntryProto;
import org.tensorflow.util.BundleHeaderProto;
import org.tokentune.BadInputException;

/**
 * Reads checkpoints that this test writes according to LevelDB's and TensorFlow's format documents.
 */
class TensorBundleTest {

  private static final String KERNEL = "module/bert/encoder/layer_0/output/dense/kernel";

  @TempDir private Path folder;

  private final Map<String, byte[]> table = new TreeMap<>();
  private final ByteArrayOutputStream data = new ByteArrayOutputStream();
  private Path index;

  @BeforeEach
  void fill() {
    index = folder.resolve("bert_model.ckpt.index");
    table.put("", BundleHeaderProto.newBuilder().setNumShards(1).build().toByteArray());
    put(KERNEL, new long[] {2, 3}, 1, 2, 3, 4, 5, 6);
    put("module/bert/encoder/layer_0/output/dense/bias", new long[] {3}, 7, 8, 9);
    put("module/bert/embeddings/LayerNorm/gamma", new long[] {2}, 10, 11);
    put("module/bert/embeddings/word_embeddings", new long[] {1, 2}, 12, 13);
    put("module/bert/embeddings/word_embeddings/adam_m", new long[] {1, 2}, 0, 0);
    put("module/cls/predictions/output_bias", new long[] {1}, 14);
    put("module/cls/seq_relationship/output_weights", new long[] {2, 1}, 15, 16);
    put("global_step", new long[] {}, 17);
  }

  /** Writes a valid checkpoint. */
  static void writeExample(Path folder) throws IOException {
    TensorBundleTest test = new TensorBundleTest();
    test.folder = folder;
    test.fill();
    test.write();
  }

  private void put(String key, long[] shape, float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    TensorShapeProto.Builder dimensions = TensorShapeProto.newBuilder();
    for (long size : shape) {
      dimensions.addDim(TensorShapeProto.Dim.newBuilder().setSize(size));
    }
    table.put(
        key,
        BundleEntryProto.newBuilder()
            .setDtype(DataType.DT_FLOAT)
            .setShape(dimensions)
            .setOffset(data.size())
            .setSize(bytes.capacity())
            .setCrc32C(masked(bytes.array()))
            .build()
            .toByteArray());
    data.writeBytes(bytes.array());
  }

  private void change(String key, BundleEntryProto.Builder change) throws IOException {
    table.put(
        key,
        BundleEntryProto.parseFrom(table.get(key)).toBuilder()
            .mergeFrom(change.build())
            .build()
            .toByteArray());
  }

  private static int masked(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    long value = crc.getValue();
    return (int) (((value >>> 15) | (value << 17)) + 0xa282ead8L);
  }

  private static void varint(ByteArrayOutputStream out, long value) {
    long rest = value;
    for (; rest >= 128; rest >>>= 7) {
      out.write((int) ((rest & 127) | 128));
    }
    out.write((int) rest);
  }

  private static byte[] ints(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(values);
    return bytes.array();
  }

  /** Appends a block of entries with its trailer; returns where it is. */
  private static byte[] block(ByteArrayOutputStream file, Map<String, byte[]> entries) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    String last = "";
    for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
      String key = entry.getKey();
      int shared = 0;
      while (shared < Math.min(last.length(), key.length())
          && last.charAt(shared) == key.charAt(shared)) {
        shared++;
      }
      varint(block, shared);
      varint(block, key.length() - shared);
      varint(block, entry.getValue().length);
      block.writeBytes(key.substring(shared).getBytes(StandardCharsets.UTF_8));
      block.writeBytes(entry.getValue());
      last = key;
    }
    block.writeBytes(ints(0, 1)); // one restart, at 0
    ByteArrayOutputStream handle = new ByteArrayOutputStream();
    varint(handle, file.size());
    varint(handle, block.size());
    block.write(0); // not compressed
    file.writeBytes(block.toByteArray());
    file.writeBytes(ints(masked(block.toByteArray())));
    return handle.toByteArray();
  }

  private byte[] write() throws IOException {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    Map<String, byte[]> blocks = new TreeMap<>();
    List<String> keys = new ArrayList<>(table.keySet());
    for (int from = 0; from < keys.size(); from += 3) { // several blocks
      Map<String, byte[]> part = new TreeMap<>();
      for (String key : keys.subList(from, Math.min(from + 3, keys.size()))) {
        part.put(key, table.get(key));
      }
      blocks.put(keys.get(Math.min(from + 2, keys.size() - 1)), block(file, part));
    }
    byte[] properties = block(file, Map.of());
    byte[] list = block(file, blocks);
    ByteArrayOutputStream footer = new ByteArrayOutputStream();
    footer.writeBytes(properties);
    footer.writeBytes(list);
    footer.writeBytes(new byte[40 - footer.size()]);
    file.writeBytes(footer.toByteArray());
    file.writeBytes(ints(0x8b80fb57, 0xdb477524));
    Files.write(folder.resolve("bert_model.ckpt.data-00000-of-00001"), data.toByteArray());
    Files.write(index, file.toByteArray());
    return file.toByteArray();
  }

  private String refusal() throws IOException {
    write();
    return assertThrows(BadInputException.class, this::readAll).getMessage();
  }

  private void readAll() {
    try (TensorBundle bundle = TensorBundle.open(index)) {
      bundle.names().forEach(bundle::read);
    }
  }

  @Test
  void readsTensorsUnderHuggingFacesNames() throws IOException {
    write();
    try (TensorBundle bundle = TensorBundle.open(index)) {
      assertEquals(
          Set.of(
              "bert.encoder.layer.0.output.dense.weight",
              "bert.encoder.layer.0.output.dense.bias",
              "bert.embeddings.LayerNorm.weight",
              "bert.embeddings.word_embeddings.weight",
              "cls.predictions.bias",
              "cls.seq_relationship.weight"),
          bundle.names());
      INDArray kernel = bundle.read("bert.encoder.layer.0.output.dense.weight");
      assertArrayEquals(
          new long[] {3, 2}, bundle.shape("bert.encoder.layer.0.output.dense.weight"));
      assertArrayEquals(new float[][] {{1, 4}, {2, 5}, {3, 6}}, kernel.toFloatMatrix());
      assertArrayEquals(
          new float[] {10, 11}, bundle.read("bert.embeddings.LayerNorm.weight").toFloatVector());
      assertArrayEquals(
          new float[][] {{15}, {16}}, bundle.read("cls.seq_relationship.weight").toFloatMatrix());
    }
  }

  @Test
  void rejectsInvalidIndices() throws IOException {
    change(KERNEL, BundleEntryProto.newBuilder().setOffset(1L << 40));
    assertTrue(refusal().contains("claims an impossible shape or location for tensor " + KERNEL));
    change(KERNEL, BundleEntryProto.newBuilder().setOffset(4));
    assertTrue(refusal().contains("has a wrong checksum; the file is damaged"));
    change(
        KERNEL,
        BundleEntryProto.newBuilder()
            .setShape(
                TensorShapeProto.newBuilder()
                    .addDim(TensorShapeProto.Dim.newBuilder().setSize(Long.MAX_VALUE))));
    assertTrue(refusal().contains("claims an impossible shape"));
    table.keySet().removeIf(key -> key.startsWith("module"));
    assertTrue(refusal().contains("holds no float weights of a BERT"));
    table.put("", BundleHeaderProto.newBuilder().setNumShards(2).build().toByteArray());
    assertTrue(refusal().contains("a checkpoint with 2 data files"));
  }

  @Test
  void rejectsEveryDamagedIndex() throws IOException {
    byte[] whole = write();
    readAll();
    for (int i = 0; i < whole.length; i++) {
      Files.write(index, Arrays.copyOf(whole, i));
      assertThrows(BadInputException.class, this::readAll, "cut after " + i);
      if (i < whole.length - 48) { // Some bits of the last 48 bytes are unused.
        byte[] damaged = whole.clone();
        damaged[i] ^= (byte) (1 << i % 8);
        Files.write(index, damaged);
        assertThrows(BadInputException.class, this::readAll, "a flipped bit in byte " + i);
      }
    }
    System.out.printf(
        "TensorFlow: %d truncated and %d damaged indices refused%n",
        whole.length, whole.length - 48);
    Random random = new Random(3);
    for (int i = 0; i < 200; i++) {
      byte[] damaged = whole.clone();
      damaged[whole.length - 1 - random.nextInt(48)] = (byte) random.nextInt();
      Files.write(index, damaged);
      try {
        readAll();
      } catch (BadInputException e) {
        assertTrue(e.getMessage().contains("download it again"), e.getMessage());
      }
    }
  }

  @Test
  void opensAsAModelFolder() throws IOException {
    write();
    Files.writeString(folder.resolve("config.json"), "{\"vocab_size\": 8}");
    Path vocabulary = folder.resolve("vocab.txt");
    Files.writeString(vocabulary, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n##y\n");
    try (ModelFiles files = ModelFiles.open(folder)) {
      Vocabulary.WordPiece tokens = assertInstanceOf(Vocabulary.WordPiece.class, files.tokenizer());
      assertTrue(tokens.lowerCase());
      assertEquals(2, tokens.special().begin());
      assertTrue(files.weights().names().contains("cls.predictions.bias"));
    }
    Files.writeString(vocabulary, "[PAD]\n[UNK]\n[CLS]\n");
    String message =
        assertThrows(BadInputException.class, () -> ModelFiles.open(folder)).getMessage();
    assertTrue(message.contains("has no token [SEP]"), message);
  }
}
