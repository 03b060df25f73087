package org.tokentune.spark;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.apache.spark.SparkEnv;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.server.NoOpRpcHandler;
import org.apache.spark.network.util.JavaUtils;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tokentune.nn.Parameters;
import org.tokentune.spark.ExchangeMessage.Kind;

/**
 * A task's exchange with the other tasks of a stretch of steps, without the driver. The numbers of
 * all gradients are divided into a slice for each task, which adds up what all tasks have there in
 * the order of the tasks; then each gets the sums of all slices. So the sums are those that the
 * driver would make.
 *
 * <p>A task asks the one after it first, and for one piece after the other: there is always just
 * one on its way to it, each task serves another one, and none waits for anything but what the
 * asked task has anyway. Nothing is sent unasked, which could fill buffers on both sides.
 */
final class Peers implements GradientExchange, AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Peers.class);

  private final Meeting.Place place;
  private final int rank;
  private final Parameters parameters;
  private final Slices slices;
  private final GradientPrecision precision;
  private final BooleanSupplier ended;
  private final Outbox outbox;
  private final ExchangePort port;
  private final TransportClient driver;
  private final List<TransportClient> others = new ArrayList<>();
  private final AtomicLong bytes = new AtomicLong();

  /**
   * What a task has of a step.
   *
   * @param finite whether its loss is
   * @param parameters numbers of those that have gradients, in the order in which they came
   */
  private record Report(boolean finite, List<Integer> parameters) {

    byte[] bytes() {
      ByteBuffer buffer = ByteBuffer.allocate(1 + Integer.BYTES * parameters.size());
      buffer.put((byte) (finite ? 1 : 0));
      parameters.forEach(buffer::putInt);
      return buffer.array();
    }

    static Report of(ByteBuffer buffer) {
      boolean finite = buffer.get() == 1;
      List<Integer> parameters = new ArrayList<>();
      while (buffer.hasRemaining()) {
        parameters.add(buffer.getInt());
      }
      return new Report(finite, parameters);
    }
  }

  /**
   * Meets the other tasks.
   *
   * @param rank number of this task
   * @param parameters for types and shapes
   * @param trained names of those that train
   * @param ended whether Spark has ended this task
   */
  Peers(
      Meeting.Place place,
      int rank,
      Parameters parameters,
      List<String> trained,
      GradientPrecision precision,
      BooleanSupplier ended)
      throws ExchangeException, InterruptedException {
    this.place = place;
    this.rank = rank;
    this.parameters = parameters;
    this.precision = precision;
    this.ended = ended;
    slices = Slices.of(parameters, trained, place.tasks());
    outbox = new Outbox(place.attempt(), place.tasks());
    String host = host();
    port = new ExchangePort(host, outbox, place.seconds());
    boolean met = false;
    try {
      driver = port.connect(place.host(), place.port());
      String here = host + " " + port.number();
      String addresses =
          await(
              ask(driver, Kind.BEGIN, 0, slices.length(), here, JavaUtils::bytesToString),
              "the driver");
      for (String address : addresses.lines().toList()) {
        int space = address.lastIndexOf(' ');
        others.add(
            others.size() == rank
                ? null
                : port.connect(
                    address.substring(0, space), Integer.parseInt(address.substring(space + 1))));
      }
      met = true;
    } catch (IOException e) {
      throw new ExchangeException(
          e, "task " + rank + " does not reach the other tasks or the driver: " + e.getMessage());
    } finally {
      if (!met) {
        port.close();
      }
    }
  }

  @Override
  public boolean common() {
    return true;
  }

  @Override
  public long bytes() {
    return bytes.get();
  }

  @Override
  public Map<String, INDArray> sum(int step, Map<String, INDArray> own)
      throws ExchangeException, InterruptedException {
    driver.send(message(place, rank, Kind.STEP, step, 0, "").bytes());
    if (place.tasks() == 1 && precision == GradientPrecision.FLOAT32) {
      return own;
    }
    List<List<byte[]>> packed = own == null ? List.of() : packed(own);
    if (own != null) {
      outbox.put(Kind.GRADIENTS, step, packed);
    }
    List<Report> reports = reports(step, own);
    if (!reports.stream().allMatch(Report::finite)) {
      return null;
    }
    Set<Integer> numbers = new LinkedHashSet<>();
    reports.forEach(report -> numbers.addAll(report.parameters()));
    Map<String, INDArray> sums = new LinkedHashMap<>();
    for (int number : numbers) {
      String name = slices.names().get(number);
      sums.put(name, own.containsKey(name) ? own.get(name) : parameters.get(name).like());
    }
    if (!sums.isEmpty()) {
      exchange(step, packed, reports, sums);
    }
    return sums;
  }

  /** This task's gradients for the slices of all tasks. */
  private List<List<byte[]>> packed(Map<String, INDArray> own) {
    List<List<byte[]>> packed = new ArrayList<>();
    for (int task = 0; task < place.tasks(); task++) {
      packed.add(
          slices.pieces(task).stream()
              .map(piece -> precision.pack(slices.read(piece, own)))
              .toList());
    }
    return packed;
  }

  /** What all tasks have of a step; those of others are asked for at the same time. */
  private List<Report> reports(int step, Map<String, INDArray> own)
      throws ExchangeException, InterruptedException {
    List<Integer> numbers =
        own == null ? List.of() : own.keySet().stream().map(slices.names()::indexOf).toList();
    Report mine = new Report(own != null, numbers);
    outbox.put(Kind.REPORT, step, everyone(List.of(mine.bytes())));
    List<CompletableFuture<Report>> asked = new ArrayList<>();
    for (int task = 0; task < place.tasks(); task++) {
      asked.add(
          task == rank
              ? CompletableFuture.completedFuture(mine)
              : ask(others.get(task), Kind.REPORT, step, 0, "", Report::of));
    }
    List<Report> reports = new ArrayList<>();
    for (int task = 0; task < place.tasks(); task++) {
      reports.add(await(asked.get(task), "task " + task));
    }
    return reports;
  }

  private List<List<byte[]>> everyone(List<byte[]> pieces) {
    return Collections.nCopies(place.tasks(), pieces);
  }

  /** Adds up this task's slice, and sets the sums of all slices. */
  private void exchange(
      int step, List<List<byte[]>> packed, List<Report> reports, Map<String, INDArray> sums)
      throws ExchangeException, InterruptedException {
    List<Slices.Piece> mine = slices.pieces(rank);
    List<List<byte[]>> received = new ArrayList<>(Collections.nCopies(place.tasks(), null));
    received.set(rank, packed.get(rank));
    for (int other : order()) {
      if (!reports.get(other).parameters().isEmpty()) {
        List<byte[]> pieces = new ArrayList<>();
        for (int i = 0; i < mine.size(); i++) {
          pieces.add(piece(other, Kind.GRADIENTS, step, i, JavaUtils::bufferToArray));
        }
        received.set(other, pieces);
      }
    }
    List<byte[]> added = new ArrayList<>();
    for (int i = 0; i < mine.size(); i++) {
      float[] sum = new float[mine.get(i).length()];
      for (int task = 0; task < place.tasks(); task++) { // in their order, whoever was first
        if (!reports.get(task).parameters().isEmpty()) {
          add(precision.unpack(received.get(task).get(i)), sum);
        }
      }
      ByteBuffer bytes = ByteBuffer.allocate(sum.length * Float.BYTES);
      bytes.order(ByteOrder.nativeOrder()).asFloatBuffer().put(sum);
      added.add(bytes.array());
    }
    outbox.put(Kind.SUMS, step, everyone(added));
    for (int i = 0; i < mine.size(); i++) {
      slices.write(ByteBuffer.wrap(added.get(i)), mine.get(i), sums);
    }
    for (int other : order()) {
      List<Slices.Piece> pieces = slices.pieces(other);
      for (int i = 0; i < pieces.size(); i++) {
        Slices.Piece piece = pieces.get(i);
        piece(
            other,
            Kind.SUMS,
            step,
            i,
            bytes -> {
              slices.write(bytes, piece, sums);
              return true;
            });
      }
    }
  }

  private static void add(byte[] bytes, float[] sum) {
    FloatBuffer floats = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).asFloatBuffer();
    float[] values = new float[sum.length];
    floats.get(values);
    for (int i = 0; i < sum.length; i++) {
      sum[i] += values[i];
    }
  }

  /** The other tasks, that after this one first. */
  private List<Integer> order() {
    List<Integer> order = new ArrayList<>();
    for (int i = 1; i < place.tasks(); i++) {
      order.add((rank + i) % place.tasks());
    }
    return order;
  }

  private <T> T piece(int task, Kind kind, int step, int number, Function<ByteBuffer, T> read)
      throws ExchangeException, InterruptedException {
    Function<ByteBuffer, T> counted =
        answer -> {
          bytes.addAndGet(answer.remaining());
          return read.apply(answer);
        };
    return await(ask(others.get(task), kind, step, number, "", counted), "task " + task);
  }

  private static ExchangeMessage message(
      Meeting.Place place, int rank, Kind kind, int step, long number, String text) {
    return new ExchangeMessage(kind, JarVersion.own(), place.attempt(), rank, step, number, text);
  }

  /**
   * Asks a task or the driver.
   *
   * @param read what is done with the answer, in a thread of the network library
   */
  private <T> CompletableFuture<T> ask(
      TransportClient client,
      Kind kind,
      int step,
      long number,
      String text,
      Function<ByteBuffer, T> read) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    client.sendRpc(
        message(place, rank, kind, step, number, text).bytes(),
        new RpcResponseCallback() {
          @Override
          public void onSuccess(ByteBuffer response) {
            try {
              answer.complete(read.apply(response));
            } catch (RuntimeException e) {
              answer.completeExceptionally(e);
            }
          }

          @Override
          public void onFailure(Throwable e) {
            answer.completeExceptionally(e);
          }
        });
    return answer;
  }

  /** Waits for an answer, unless Spark ends the task. */
  private <T> T await(CompletableFuture<T> answer, String from)
      throws ExchangeException, InterruptedException {
    while (true) {
      try {
        return answer.get(1, TimeUnit.SECONDS);
      } catch (TimeoutException e) {
        if (ended.getAsBoolean()) {
          throw new ExchangeException(e, "Spark has ended task " + rank);
        }
      } catch (ExecutionException e) {
        String why = String.valueOf(e.getCause().getMessage()).lines().findFirst().orElse("");
        throw new ExchangeException(e, "task " + rank + " has no answer from " + from + ": " + why);
      }
    }
  }

  /** Waits until no other task needs this one. */
  void end() throws ExchangeException, InterruptedException {
    await(ask(driver, Kind.END, 0, 0, "", answer -> true), "the driver");
  }

  /** Lets the driver know that a task cannot go on, wherever it has failed. */
  static void fail(Meeting.Place place, int rank, String why) throws InterruptedException {
    try (ExchangePort port = new ExchangePort(host(), new NoOpRpcHandler(), place.seconds())) {
      port.connect(place.host(), place.port())
          .send(message(place, rank, Kind.FAILED, 0, 0, why).bytes());
    } catch (IOException e) {
      LOG.warn("The driver, which this task has to tell that it fails, is not there.", e);
    }
  }

  private static String host() {
    return SparkEnv.get().blockManager().blockManagerId().host();
  }

  @Override
  public void close() {
    outbox.close("task " + rank + " has ended");
    port.close();
  }
}
