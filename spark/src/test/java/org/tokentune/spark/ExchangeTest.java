package org.tokentune.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.server.NoOpRpcHandler;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.nn.Parameters;
import org.tokentune.spark.ExchangeMessage.Kind;

/** Tasks that exchange gradients, as threads, and others who try to. */
class ExchangeTest {

  static final Share.Attempt ATTEMPT = new Share.Attempt("run", 8, 1);
  private static final List<String> NAMES = List.of("a", "b", "c");
  private static SparkSession spark;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @BeforeAll
  static void start() {
    spark = SmallModel.spark();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  @AfterEach
  void end() {
    threads.shutdownNow();
  }

  static Parameters parameters() {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    arrays.put("a", Nd4j.zeros(3, 5));
    arrays.put("b", Nd4j.zeros(2));
    arrays.put("c", Nd4j.zeros(7, 1));
    return new Parameters(arrays);
  }

  /** Random gradients of a task; the last task has none of b. */
  static Map<String, INDArray> gradients(int task, int tasks, int step) {
    Random random = new Random(31L * step + task);
    Map<String, INDArray> gradients = new LinkedHashMap<>();
    for (String name : task == 0 ? List.of("c", "a", "b") : NAMES) {
      if (task == 0 || task < tasks - 1 || !name.equals("b")) {
        INDArray gradient = parameters().get(name);
        for (int i = 0; i < gradient.length(); i++) {
          gradient.putScalar(i, (float) random.nextGaussian() * 1e3f);
        }
        gradients.put(name, gradient);
      }
    }
    return gradients;
  }

  static Peers meet(Meeting meeting, int rank) throws ExchangeException, InterruptedException {
    return new Peers(
        meeting.place(), rank, parameters(), NAMES, GradientPrecision.FLOAT32, () -> false);
  }

  /** The sums of steps, as a task gets them. */
  private List<Map<String, INDArray>> sums(Meeting meeting, int rank, int steps)
      throws ExchangeException, InterruptedException {
    List<Map<String, INDArray>> sums = new ArrayList<>();
    try (Peers peers = meet(meeting, rank)) {
      for (int step = 0; step < steps; step++) {
        sums.add(peers.sum(step, gradients(rank, meeting.place().tasks(), step)));
      }
      peers.end();
    }
    return sums;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5, 30})
  void sumsAreThoseOfALeftFold(int tasks) throws Exception {
    try (Meeting meeting = new Meeting(ATTEMPT, tasks, 20)) {
      List<Future<List<Map<String, INDArray>>>> all = new ArrayList<>();
      for (int task = 0; task < tasks; task++) {
        int rank = task;
        all.add(threads.submit(() -> sums(meeting, rank, 4)));
      }
      for (int step = 0; step < 4; step++) {
        Map<String, INDArray> expected = parameters().asMap();
        for (int task = 0; task < tasks; task++) {
          gradients(task, tasks, step).forEach((name, array) -> expected.get(name).addi(array));
        }
        for (Future<List<Map<String, INDArray>>> one : all) {
          Map<String, INDArray> sums = one.get(60, TimeUnit.SECONDS).get(step);
          assertEquals(List.of("c", "a", "b"), List.copyOf(sums.keySet()), "as they came first");
          for (String name : NAMES) {
            assertArrayEquals(
                expected.get(name).data().asFloat(), sums.get(name).data().asFloat(), name);
          }
        }
      }
      assertNull(meeting.failure());
    }
  }

  @Test
  void slicesAreCutIntoPieces() {
    for (int tasks : List.of(1, 2, 7, 30)) {
      for (int piece : List.of(1, 4, 100)) {
        Slices slices =
            new Slices(NAMES, Slices.of(parameters(), NAMES, tasks).ends(), tasks, piece);
        Map<String, INDArray> copy = parameters().asMap();
        Map<String, INDArray> gradients = gradients(0, 2, 1);
        long at = 0;
        for (int task = 0; task < tasks; task++) {
          for (Slices.Piece one : slices.pieces(task)) {
            assertEquals(at, one.from());
            assertTrue(one.length() <= piece && one.length() > 0);
            slices.write(ByteBuffer.wrap(slices.read(one, gradients)), one, copy);
            at = one.to();
          }
        }
        assertEquals(24, at);
        assertEquals(gradients, copy);
      }
    }
  }

  @Test
  void aLossThatIsNotFiniteIsKnownToAll() throws Exception {
    try (Meeting meeting = new Meeting(ATTEMPT, 2, 20)) {
      Future<Map<String, INDArray>> other =
          threads.submit(
              () -> {
                try (Peers peers = meet(meeting, 1)) {
                  Map<String, INDArray> sums = peers.sum(0, null);
                  peers.end();
                  return sums;
                }
              });
      try (Peers peers = meet(meeting, 0)) {
        assertNull(peers.sum(0, gradients(0, 2, 0)));
        peers.end();
      }
      assertNull(other.get());
    }
  }

  /** A task that goes away in the middle: the others are told, and wait for nothing. */
  @Test
  void aTaskThatIsLostEndsTheOthers() throws Exception {
    try (Meeting meeting = new Meeting(ATTEMPT, 3, 20)) {
      List<Future<?>> others = new ArrayList<>();
      for (int rank : List.of(0, 2)) {
        others.add(threads.submit(() -> sums(meeting, rank, 4)));
      }
      try (Peers peers = meet(meeting, 1)) {
        peers.sum(0, gradients(1, 3, 0));
      }
      for (Future<?> other : others) {
        ExecutionException e =
            assertThrows(ExecutionException.class, () -> other.get(10, TimeUnit.SECONDS));
        System.out.println(e.getCause().getMessage());
        assertEquals(ExchangeException.class, e.getCause().getClass());
      }
      System.out.println(meeting.failure());
      assertTrue(meeting.failure().contains("is lost"), meeting.failure());
    }
  }

  @Test
  void saysWhichTaskStalls() throws Exception {
    try (Meeting meeting = new Meeting(ATTEMPT, 2, 20)) {
      CompletableFuture<Boolean> goesOn = new CompletableFuture<>();
      Future<?> stalls =
          threads.submit(
              () -> {
                try (Peers peers = meet(meeting, 1)) {
                  peers.sum(0, gradients(1, 2, 0));
                  return goesOn.get();
                }
              });
      Future<?> waits = threads.submit(() -> sums(meeting, 0, 2));
      for (int i = 0; i < 100 && !meeting.missing().matches("task 1 .* step 10 .*"); i++) {
        Thread.sleep(50);
      }
      System.out.println(meeting.missing());
      assertTrue(meeting.missing().startsWith("task 1 (127.0.0.1:"), meeting.missing());
      assertTrue(
          meeting
              .missing()
              .endsWith(") is at step 10 and says nothing; look into its executor's log"),
          meeting.missing());
      goesOn.complete(true);
      stalls.get(10, TimeUnit.SECONDS);
      assertThrows(ExecutionException.class, () -> waits.get(10, TimeUnit.SECONDS));
    }
  }

  static ByteBuffer message(Kind kind, String version, Share.Attempt attempt, int rank) {
    return new ExchangeMessage(kind, version, attempt, rank, 0, 24, "127.0.0.1 1").bytes();
  }

  private static String refused(TransportClient client, ByteBuffer message) {
    return assertThrows(RuntimeException.class, () -> client.sendRpcSync(message, 5_000))
        .getMessage()
        .lines()
        .filter(line -> line.contains("ExchangeException: "))
        .findFirst()
        .orElseThrow()
        .replaceAll(".*ExchangeException: ", "");
  }

  /** Nothing of what a stranger sends disturbs the tasks. */
  @Test
  void refusesStrangers() throws Exception {
    String own = JarVersion.own();
    try (Meeting meeting = new Meeting(ATTEMPT, 2, 20);
        ExchangePort port = new ExchangePort("127.0.0.1", new NoOpRpcHandler(), 20)) {
      Meeting.Place place = meeting.place();
      try (Socket socket = new Socket(place.host(), place.port())) {
        socket.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.UTF_8));
        socket.setSoTimeout(200);
        InputStream answer = socket.getInputStream();
        try {
          assertEquals(-1, answer.read());
        } catch (IOException e) {
          System.out.println("no answer: " + e.getMessage());
        }
      }
      TransportClient client = port.connect(place.host(), place.port());
      Share.Attempt other = new Share.Attempt("another run", 8, 1);
      Map<ByteBuffer, String> said = new LinkedHashMap<>();
      said.put(ByteBuffer.wrap(new byte[100]), "a message of something else than this exchange");
      said.put(ByteBuffer.wrap(new byte[2]), "a message that ends too early, or is none");
      said.put(
          ByteBuffer.wrap(new byte[1_000_000]), "a message that is too long for this exchange");
      said.put(message(Kind.BEGIN, own, other, 0), "a message of another training");
      said.put(
          message(Kind.BEGIN, own, new Share.Attempt("run", 8, 2), 0),
          "a message of another attempt");
      said.put(message(Kind.BEGIN, own, ATTEMPT, 2), "a message of no task of this training");
      said.put(
          message(Kind.BEGIN, "9.9", ATTEMPT, 0),
          "a message of version 9.9 of tokentune-spark, not " + own);
      said.put(message(Kind.END, own, ATTEMPT, 0), "a message of a task that has not come");
      said.put(message(Kind.FAILED, own, other, 0), "a message of another training");
      said.forEach((message, sentence) -> assertEquals(sentence, refused(client, message)));

      try (ExchangePort tasks = new ExchangePort("127.0.0.1", new Outbox(ATTEMPT, 2), 20)) {
        TransportClient task = port.connect("127.0.0.1", tasks.number());
        assertEquals(
            "a message of something else than this exchange",
            refused(task, ByteBuffer.wrap(new byte[100])));
        assertEquals(
            "a message of another training", refused(task, message(Kind.SUMS, own, other, 0)));
        ByteBuffer later = new ExchangeMessage(Kind.SUMS, own, ATTEMPT, 0, 7, 0, "").bytes();
        assertEquals("asked for what is not there", refused(task, later));
      }
      Future<List<Map<String, INDArray>>> first = threads.submit(() -> sums(meeting, 0, 2));
      assertEquals(2, sums(meeting, 1, 2).size());
      assertEquals(2, first.get().size());
      assertNull(meeting.failure());
    }
  }
}
