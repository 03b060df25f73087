package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.shade.protobuf.CodedInputStream;
import org.tensorflow.framework.Summary;
import org.tokentune.BadInputException;
import org.tokentune.objectives.Metric;
import org.tokentune.objectives.Objectives;
import org.tokentune.objectives.Scores;
import org.tokentune.train.EvaluationResult;
import org.tokentune.train.StepReport;

/** {@code train --tensorboard} and {@code --ui}, without a training. */
class TrainingCurvesTest {

  @TempDir private Path folder;

  /** A record of the bytes "abc", as tensorboard 2.21's RecordWriter writes it. */
  private static final String RECORD = "0300000000000000b099490e6162636e57f121";

  private static StepReport step(int step, double loss, double seconds) {
    return new StepReport(step, 10, 1, loss, 1e-4, 500, seconds, List.of(), Map.of());
  }

  /** What is in all event files: step and tag, in the order of the files. */
  private List<String> events() throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files = all.sorted().toList();
    }
    List<String> events = new ArrayList<>();
    for (Path file : files) {
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
      while (bytes.remaining() > 12) {
        byte[] data = new byte[(int) bytes.getLong()];
        bytes.getInt();
        if (bytes.remaining() < data.length + 4) {
          return events;
        }
        bytes.get(data).getInt();
        read(data, events);
      }
    }
    return events;
  }

  private static void read(byte[] data, List<String> events) throws IOException {
    CodedInputStream fields = CodedInputStream.newInstance(data);
    long step = 0;
    for (int tag = fields.readTag(); tag != 0; tag = fields.readTag()) {
      switch (tag >>> 3) {
        case 2 -> step = fields.readInt64();
        case 3 -> events.add(fields.readString());
        case 5 -> {
          for (Summary.Value value : Summary.parseFrom(fields.readBytes()).getValueList()) {
            events.add(step + " " + value.getTag() + " " + value.getSimpleValue());
          }
        }
        case 7 -> {
          events.add(step + " starts");
          fields.skipField(tag);
        }
        default -> fields.skipField(tag);
      }
    }
  }

  @Test
  void recordsAreThoseOfTensorBoard() {
    assertEquals(
        RECORD, HexFormat.of().formatHex(TfRecord.framed("abc".getBytes(StandardCharsets.UTF_8))));
  }

  @Test
  void stepsAndValidationsAreWritten() throws IOException {
    try (TrainingCurves curves = new TrainingCurves(List.of(new EventFiles(folder)))) {
      curves.onEpochStart(1);
      curves.onStep(step(1, 0.5, 0.25));
      curves.onEvaluation(
          new EvaluationResult(
              1,
              1,
              0.5,
              new Scores(
                  Objectives.CLASSIFY, 8, 0.75, Map.of(Metric.ACCURACY, 0.875), new long[2][2])));
      curves.onStep(step(2, Double.NaN, 0));
    }
    List<String> events = events();
    System.out.println(events);
    assertEquals(
        List.of(
            "brain.Event:2",
            "1 train/loss 0.5",
            "1 train/learning_rate 1.0E-4",
            "1 train/epoch 1.0",
            "1 train/tokens_per_second 2000.0",
            "1 validation/loss 0.75",
            "1 validation/accuracy 0.875",
            "2 train/loss NaN",
            "2 train/learning_rate 1.0E-4",
            "2 train/epoch 1.0"),
        events);
  }

  /** Killed in step 4, in the middle of a record, with a checkpoint of step 2. */
  @Test
  void resumedTrainingsHaveEveryStepOnce() throws IOException {
    new EventFiles(folder).check(false);
    try (EventFiles first = new EventFiles(folder)) {
      first.begin(0);
      for (int step = 1; step <= 4; step++) {
        first.add(step, 6, Map.of("train/loss", 1.0 / step));
      }
    }
    try (Stream<Path> all = Files.list(folder)) {
      byte[] half = HexFormat.of().parseHex(RECORD.substring(0, 28));
      Files.write(all.findFirst().orElseThrow(), half, StandardOpenOption.APPEND);
    }
    assertTrue(
        assertThrows(BadInputException.class, () -> new EventFiles(folder).check(false))
            .getMessage()
            .contains("holds the events of another training"));
    new EventFiles(folder).check(true);
    try (EventFiles second = new EventFiles(folder)) {
      second.begin(2);
      for (int step = 3; step <= 6; step++) {
        second.add(step, 6, Map.of("train/loss", 2.0 / step));
      }
    }
    List<String> events = events();
    System.out.println(events);
    assertEquals(
        List.of(
            "brain.Event:2",
            "1 train/loss 1.0",
            "2 train/loss 0.5",
            "brain.Event:2",
            "3 starts",
            "3 train/loss 0.6666667",
            "4 train/loss 0.5",
            "5 train/loss 0.4",
            "6 train/loss 0.33333334"),
        events);
  }

  @Test
  void eventsNeedAFolder() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    String message =
        assertThrows(
                BadInputException.class, () -> new EventFiles(file.resolve("events")).check(false))
            .getMessage();
    System.out.println(message);
    assertTrue(message.contains("is not a writable folder"));
  }

  @Test
  void thePageShowsTheSameNumbers() throws IOException, InterruptedException {
    HttpClient client = HttpClient.newHttpClient();
    try (TrainingPage page = TrainingPage.open("a <b> on c", 0)) {
      assertThrows(
          BadInputException.class,
          () -> TrainingPage.open("", URI.create(page.address()).getPort()));
      page.begin(0);
      for (int step = 1; step <= 10_000; step++) {
        page.add(step, 10_000, Map.of("train/loss", step == 1 ? Double.NaN : step));
      }
      assertTrue(get(client, page, "").contains("<h1>a &lt;b&gt; on c</h1>"));
      JsonNode numbers = new ObjectMapper().readTree(get(client, page, "numbers"));
      JsonNode loss = numbers.at("/curves/train~1loss");
      System.out.println(loss.size() + " points, the first " + loss.get(0));
      assertEquals(10_000, numbers.path("step").asInt());
      assertTrue(loss.size() > 1000 && loss.size() <= 4001);
      assertEquals("[1,null]", loss.get(0).toString());
      for (int i = 1; i < loss.size(); i++) {
        assertEquals(
            loss.at("/1/0").asInt() - 1,
            loss.at("/" + i + "/0").asInt() - loss.at("/" + (i - 1) + "/0").asInt());
        assertEquals(loss.at("/" + i + "/0").asDouble(), loss.at("/" + i + "/1").asDouble());
      }
      assertEquals(404, code(client, page, "arena"));
      assertEquals(404, code(client, page, "numbers/../../etc"));
      assertTrue(raw(page, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").contains(" 403 "));
      assertTrue(
          raw(page, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
              .contains(" 405 "));
    }
  }

  private static HttpResponse<String> ask(HttpClient client, TrainingPage page, String path)
      throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(URI.create(page.address() + path)).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private static String get(HttpClient client, TrainingPage page, String path)
      throws IOException, InterruptedException {
    return ask(client, page, path).body();
  }

  private static int code(HttpClient client, TrainingPage page, String path)
      throws IOException, InterruptedException {
    return ask(client, page, path).statusCode();
  }

  private static String raw(TrainingPage page, String request) throws IOException {
    try (Socket socket =
        new Socket(InetAddress.getLoopbackAddress(), URI.create(page.address()).getPort())) {
      OutputStream out = socket.getOutputStream();
      out.write(request.getBytes(StandardCharsets.US_ASCII));
      out.flush();
      byte[] start = socket.getInputStream().readNBytes(20);
      return new String(start, StandardCharsets.US_ASCII);
    }
  }
}
