"""Every error that the framework raises, in one tree.

FrameworkError
├── DeclarationError            found before anything runs; says where, and how to mend it
│   ├── ProcessorError          a processor, handler or hook of the wrong shape
│   ├── RouteError              a payload type that leads to no queue, or to two
│   ├── DependencyError         a type that nothing provides, a cycle, a scope that ends too soon
│   ├── DiscoveryError          a package that cannot be imported or holds no processor
│   ├── ScheduleError           a time that cannot be: a bad cron expression, a naive datetime
│   └── PluginError             a plugin that is missing, broken or made for another contract
├── SettingsError               a setting that cannot be used
│   └── SlotError               keys that a Redis Cluster would keep in several places
├── OptionsError                a job option out of its range
├── PayloadError                data that does not fit its type; a retry will not help
├── ResultError                 a result that is no JSON; the work is done, the job fails
├── TransitionError             Redis refused; carries job_id, queue and code
│   ├── JobNotFoundError (-1)   LockLostError (-2, -6)         WrongStateError (-3)
│   ├── PendingChildrenError (-4), ParentNotFoundError (-5), OtherParentError (-7)
│   ├── FailedChildrenError (-9), OddKeysError (-20)
│   ├── JobLockedError (removal), SchedulerJobError (-8)
│   ├── RunExistsError (-10, -11)
│   └── JobCancelledError (-22) somebody cancelled the job
├── ActiveJobsError             a queue that workers use cannot be obliterated
├── RedisUnavailableError       no answer in time, or the connection is refused
│   └── RedisRefusedError       it answers, but not to us: wrong password, no rights, no memory
│       └── KeyTypeError        a key of a queue is of the wrong type
├── FormatError                 the queue was written by a newer release of the framework
├── StartError                  what the workers need could not be made
│   └── ProcessStartError       a child process that is to run jobs did not begin
├── StuckError                  workers take nothing although jobs wait
├── JobTimeoutError             a job ran longer than its timeout
├── ProcessCrashedError         the child process that ran a job ended
├── JobQuarantinedError         a job ended its process too often
├── HandlerError                what a handler raised in a child process
│   └── UnrecoverableHandlerError   the same, of a kind that no retry helps
├── ServerError                 the embedded server cannot be found, started or stopped
├── JobFailedError              a result was awaited, and the job failed
├── ResultTimeoutError          a result was awaited for too long
├── UnrecoverableError          raised by application code: do not retry
└── FailedByHandError           never raised: why whoever held a job failed it
"""

from framework.errors.base import FrameworkError as FrameworkError
from framework.errors.declaring import DeclarationError as DeclarationError
from framework.errors.declaring import DependencyError as DependencyError
from framework.errors.declaring import DiscoveryError as DiscoveryError
from framework.errors.declaring import OptionsError as OptionsError
from framework.errors.declaring import PluginError as PluginError
from framework.errors.declaring import ProcessorError as ProcessorError
from framework.errors.declaring import RouteError as RouteError
from framework.errors.declaring import ScheduleError as ScheduleError
from framework.errors.declaring import SettingsError as SettingsError
from framework.errors.declaring import SlotError as SlotError
from framework.errors.processes import JobQuarantinedError as JobQuarantinedError
from framework.errors.processes import ProcessCrashedError as ProcessCrashedError
from framework.errors.processes import ProcessStartError as ProcessStartError
from framework.errors.processes import StartError as StartError
from framework.errors.processes import StuckError as StuckError
from framework.errors.redis import FormatError as FormatError
from framework.errors.redis import KeyTypeError as KeyTypeError
from framework.errors.redis import RedisRefusedError as RedisRefusedError
from framework.errors.redis import RedisUnavailableError as RedisUnavailableError
from framework.errors.redis import ServerError as ServerError
from framework.errors.runs import FailedByHandError as FailedByHandError
from framework.errors.runs import HandlerError as HandlerError
from framework.errors.runs import JobFailedError as JobFailedError
from framework.errors.runs import JobTimeoutError as JobTimeoutError
from framework.errors.runs import PayloadError as PayloadError
from framework.errors.runs import ResultError as ResultError
from framework.errors.runs import ResultTimeoutError as ResultTimeoutError
from framework.errors.runs import UnrecoverableError as UnrecoverableError
from framework.errors.runs import UnrecoverableHandlerError as UnrecoverableHandlerError
from framework.errors.transitions import ActiveJobsError as ActiveJobsError
from framework.errors.transitions import FailedChildrenError as FailedChildrenError
from framework.errors.transitions import JobCancelledError as JobCancelledError
from framework.errors.transitions import JobLockedError as JobLockedError
from framework.errors.transitions import JobNotFoundError as JobNotFoundError
from framework.errors.transitions import LockLostError as LockLostError
from framework.errors.transitions import OddKeysError as OddKeysError
from framework.errors.transitions import OtherParentError as OtherParentError
from framework.errors.transitions import ParentNotFoundError as ParentNotFoundError
from framework.errors.transitions import PendingChildrenError as PendingChildrenError
from framework.errors.transitions import RunExistsError as RunExistsError
from framework.errors.transitions import SchedulerJobError as SchedulerJobError
from framework.errors.transitions import TransitionError as TransitionError
from framework.errors.transitions import WrongStateError as WrongStateError
