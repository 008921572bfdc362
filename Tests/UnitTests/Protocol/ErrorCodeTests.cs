using OrleansLog.Protocol;
using Xunit;

namespace OrleansLog.UnitTests.Protocol;

public class ErrorCodeTests
{
    [Fact]
    public void Every_number_of_Kafka_4_2_has_one_name()
    {
        var numbers = Enum.GetValues<ErrorCode>().Select(code => (int)code).Order();

        Assert.Equal(Enumerable.Range(-1, 135), numbers);
    }

    [Theory]
    [InlineData(ErrorCode.None, 0)]
    [InlineData(ErrorCode.MessageTooLarge, 10)]
    [InlineData(ErrorCode.TopicAlreadyExists, 36)]
    [InlineData(ErrorCode.KafkaStorageError, 56)]
    [InlineData(ErrorCode.FencedLeaderEpoch, 74)]
    [InlineData(ErrorCode.InvalidRecord, 87)]
    [InlineData(ErrorCode.UnknownTopicId, 100)]
    [InlineData(ErrorCode.FencedMemberEpoch, 110)]
    [InlineData(ErrorCode.TransactionAbortable, 120)]
    [InlineData(ErrorCode.ShareSessionLimitReached, 133)]
    public void Names_stand_where_Kafka_has_them(ErrorCode code, short number) => Assert.Equal(number, (short)code);

    [Theory]
    [InlineData(ErrorCode.NotLeaderOrFollower, true)]
    [InlineData(ErrorCode.CoordinatorLoadInProgress, true)]
    [InlineData(ErrorCode.NotEnoughReplicasAfterAppend, true)]
    [InlineData(ErrorCode.KafkaStorageError, true)]
    [InlineData(ErrorCode.UnknownTopicId, true)]
    [InlineData(ErrorCode.None, false)]
    [InlineData(ErrorCode.UnknownServerError, false)]
    [InlineData(ErrorCode.OffsetOutOfRange, false)]
    [InlineData(ErrorCode.MessageTooLarge, false)]
    [InlineData(ErrorCode.RebalanceInProgress, false)]
    [InlineData(ErrorCode.ProducerFenced, false)]
    [InlineData((ErrorCode)9999, false)]
    public void Only_what_may_pass_is_retriable(ErrorCode code, bool isRetriable) =>
        Assert.Equal(isRetriable, code.IsRetriable());
}
